import { realpathSync } from 'node:fs';
import { isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/**
 * A source of {@link ImageBuilder.copy} as a path below the base directory, with slashes and without one at the end. Links in
 * an absolute one are followed; a relative one is only cleaned.
 *
 * @throws BoxwrightError SOURCE_OUTSIDE_BASE
 */
export function relativeSource(baseDirectory: string, source: string): string {
  const path = isAbsolute(source)
    ? relative(realPath(baseDirectory), realPath(source)) || '.'
    : normalize(source === '' ? '.' : source);
  if (isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`)) throw outside(baseDirectory, source);
  const slashed = path.replaceAll(sep, '/');
  return slashed.endsWith('/') ? slashed.slice(0, -1) : slashed;
}

/**
 * The file or directory on this machine that a {@link relativeSource} stands for, links followed.
 *
 * @throws BoxwrightError COPY_SOURCE_NOT_FOUND, or SOURCE_OUTSIDE_BASE when links lead out of the base directory
 */
export function sourceOnDisk(baseDirectory: string, source: string): string {
  const base = realPath(baseDirectory);
  let found: string;
  try {
    found = realpathSync(join(base, source));
  } catch (error) {
    throw new BoxwrightError(
      'COPY_SOURCE_NOT_FOUND',
      `there is no ${escapeForTerminal(source)} in ${escapeForTerminal(baseDirectory)}`,
      { hint: 'Sources are looked up in the base directory.', cause: error, details: { source } },
    );
  }
  const inside = relative(base, found);
  if (isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) throw outside(baseDirectory, source);
  return found;
}

/** Links followed as far as the path exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function outside(baseDirectory: string, source: string): BoxwrightError {
  return new BoxwrightError(
    'SOURCE_OUTSIDE_BASE',
    `${escapeForTerminal(source)} is outside of ${escapeForTerminal(baseDirectory)}`,
    { hint: 'Give another baseDirectory, one that has all the files.', details: { source, baseDirectory } },
  );
}

import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { UsageError } from '@boxwright/errors';

/** A path of the host that a `run` shows to the command. */
export interface Volume {
  readonly path: string;
  readonly target: string;
  readonly readonly: boolean;
}

/**
 * `-v HOST:TARGET[:ro|:rw]` of `run`. The host path must exist: a missing one is not created.
 * @throws UsageError for anything else, named volumes included.
 */
export function parseVolume(text: string, cwd: string): Volume {
  const [source, target, mode, ...more] = text.split(':');
  if (source === undefined || source === '' || target === undefined || more.length > 0) {
    throw new UsageError(`--volume ${text}: must be HOST:TARGET or HOST:TARGET:ro`);
  }
  if (!isAbsolute(target)) throw new UsageError(`--volume ${text}: '${target}' must be an absolute path`);
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw') {
    throw new UsageError(`--volume ${text}: unknown mode '${mode}'`, { hint: 'Known modes: ro, rw.' });
  }
  if (!source.includes('/') && source !== '.') {
    throw new UsageError(`--volume ${text}: '${source}' would be a named volume, which Boxwright has not`, {
      hint: `For a directory write ./${source}.`,
    });
  }
  const path = resolve(cwd, source);
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new UsageError(`--volume ${text}: ${path} does not exist`);
  return { path, target, readonly: mode === 'ro' };
}

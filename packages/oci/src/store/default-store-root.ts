import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * Directory of the local store: `$BOXWRIGHT_HOME`, else `boxwright` in the XDG data directory
 * (https://specifications.freedesktop.org/basedir-spec: a relative `$XDG_DATA_HOME` is ignored).
 *
 * @param cwd what a relative `$BOXWRIGHT_HOME` is relative to
 */
export function defaultStoreRoot(
  env: Readonly<Record<string, string | undefined>> = process.env,
  cwd: string = process.cwd(),
): string {
  const chosen = env['BOXWRIGHT_HOME'];
  if (chosen) return resolve(cwd, chosen);
  const data = env['XDG_DATA_HOME'];
  const base = data !== undefined && isAbsolute(data) ? data : join(env['HOME'] || homedir(), '.local/share');
  return join(base, 'boxwright');
}

import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { CommandContext } from './command-context.ts';

/**
 * Where the local store is: `--store`, else `$BOXWRIGHT_HOME`, else `boxwright` in the XDG data directory
 * (https://specifications.freedesktop.org/basedir-spec: a relative `$XDG_DATA_HOME` is ignored).
 */
export function storeRoot(flag: string | undefined, context: Pick<CommandContext, 'env' | 'cwd'>): string {
  const chosen = flag ?? context.env['BOXWRIGHT_HOME'];
  if (chosen !== undefined && chosen !== '') return resolve(context.cwd, chosen);
  const data = context.env['XDG_DATA_HOME'];
  const base = data !== undefined && isAbsolute(data) ? data : join(context.env['HOME'] || homedir(), '.local/share');
  return join(base, 'boxwright');
}

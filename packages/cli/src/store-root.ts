import { defaultStoreRoot } from '@boxwright/oci';
import type { CommandContext } from './command-context.ts';

/** Where the local store is: `--store`, else where {@link defaultStoreRoot} says. */
export function storeRoot(flag: string | undefined, { env, cwd }: Pick<CommandContext, 'env' | 'cwd'>): string {
  return defaultStoreRoot({ ...env, BOXWRIGHT_HOME: flag ?? env['BOXWRIGHT_HOME'] }, cwd);
}

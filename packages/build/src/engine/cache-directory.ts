import { chmodSync, chownSync, cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** A new cache directory: what `from=` and `source=` of the mount show, then its owner and mode. */
export function fillCacheDirectory(
  directory: string,
  initial: readonly string[],
  mount: { readonly source: string; readonly mode: number; readonly uid: number; readonly gid: number },
): void {
  for (const layer of initial) {
    const source = join(layer, mount.source);
    if (existsSync(source))
      cpSync(source, directory, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
  chownSync(directory, mount.uid, mount.gid);
  chmodSync(directory, mount.mode);
}

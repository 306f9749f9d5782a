import { lstatSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file so that a reader sees the old text or the new one, never half of it. A link is followed; what is no
 * regular file (`/dev/stdout`, a pipe) is written as it is. Throws like fs.
 *
 * @param mode permissions of the file, also of one that was there
 */
export function writeFileAtomically(path: string, data: string | Uint8Array, mode: number = 0o666): void {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  const target = existing?.isSymbolicLink() === true ? realpathSync(path) : path;
  if (existing !== undefined && !(existing.isFile() || existing.isSymbolicLink())) {
    writeFileSync(path, data);
    return;
  }
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, data, { flag: 'wx', mode });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** The `code` of a file system error ('ENOENT'...), or undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const unwritableCodes: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'STORE_FULL',
  'STORE_READ_ONLY',
]);

/** True for the error of a store of somebody else, on a medium that cannot be written, or full. Reading works there. */
export function isUnwritable(error: unknown): boolean {
  return unwritableCodes.has(errorCode(error));
}

/** What `call` returns, or undefined when the file it asks for does not exist. */
export function unlessMissing<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Names in a directory, unsorted; none when it does not exist. */
export function namesIn(directory: string): string[] {
  return unlessMissing(() => readdirSync(directory)) ?? [];
}

/** Writes all of `bytes`: a single `write` may take less (write(2)). */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset, bytes.length - offset);
}

/** Makes the names in a directory durable. Platforms and file systems that cannot do so are left alone. */
export function fsyncDirectory(directory: string): void {
  let fd: number;
  try {
    fd = openSync(directory, 'r');
  } catch (error) {
    if (['EISDIR', 'EPERM', 'EACCES'].includes(errorCode(error) ?? '')) return;
    throw error;
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EBADF'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    closeSync(fd);
  }
}

/** How {@link replaceFile} writes. */
export interface ReplaceOptions {
  /** Temporary path on the same file system; its leftovers are someone else's to remove. */
  readonly temporary: string;
  /** Fsync the file and its directory: the new content survives a power cut from the moment the call returns. */
  readonly durable: boolean;
}

/** Puts a file in place in one rename, mode 0600: readers see the old content or the new one, never a part. */
export function replaceFile(path: string, content: string | Uint8Array, options: ReplaceOptions): void {
  const { temporary, durable } = options;
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeFully(fd, typeof content === 'string' ? Buffer.from(content) : content);
    if (durable) fsyncSync(fd);
    closeSync(fd);
  } catch (error) {
    closeQuietly(fd);
    removeFile(temporary);
    throw error;
  }
  renameIntoPlace(temporary, path);
  if (durable) fsyncDirectory(dirname(path));
}

/** Renames a file, making the directory it goes to when that is missing; removes the source when it fails. */
export function renameIntoPlace(from: string, to: string): void {
  try {
    try {
      renameSync(from, to);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      renameSync(from, to);
    }
  } catch (error) {
    removeFile(from);
    throw error;
  }
}

/** A whole file when it exists and has at most `limit` bytes, else undefined. */
export function readSmallFile(path: string, limit: number): Buffer | undefined {
  const fd = unlessMissing(() => openSync(path, 'r'));
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= limit ? readFileSync(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Closes a descriptor on the way out of a failure, which must not be hidden by a second one. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Already closed, or the write-back failed: the caller is reporting a failure as it is.
  }
}

/** Unlinks a file; true when it was there. */
export function removeFile(path: string): boolean {
  return (
    unlessMissing(() => {
      unlinkSync(path);
      return true;
    }) ?? false
  );
}

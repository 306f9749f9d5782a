import { closeSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../../store/files.ts';
import { invalidAuthFile } from './auth-file.ts';

/** Largest file that is read: Docker's holds kilobytes. */
const MAX_AUTH_FILE = 4 * 1024 * 1024;

/**
 * A file's bytes; a pipe's too, as of `REGISTRY_AUTH_FILE=<(command)`. Another user's file is none of ours: after `su`,
 * XDG_RUNTIME_DIR often names one.
 *
 * @throws BoxwrightError CREDENTIALS_INVALID
 */
export function readAuthFile(path: string): Buffer | 'missing' | 'unreadable' {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return readAll(fd, path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
    if (code === 'CREDENTIALS_INVALID') throw error;
    throw invalidAuthFile(path, `it cannot be read (${code ?? 'unknown error'})`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readAll(fd: number, path: string): Buffer {
  const pieces: Buffer[] = [];
  for (let size = 0; ; ) {
    const piece = Buffer.alloc(64 * 1024);
    const count = readSync(fd, piece);
    if (count === 0) return Buffer.concat(pieces);
    size += count;
    if (size > MAX_AUTH_FILE) throw invalidAuthFile(path, 'it has more than 4 MiB');
    pieces.push(piece.subarray(0, count));
  }
}

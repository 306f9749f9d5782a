import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { openInRoot } from '@boxwright/sys';
import { isErrno } from './root/locate.ts';

/** A passwd file is not larger than this; what is behind it is not looked at (threat B8). */
const MAX_PASSWD = 1 << 20;

/** `env` with a HOME: the user's in the image's passwd file, else `/`, as runc sets it. */
export function withHome(root: number, env: readonly string[], uid: number): readonly string[] {
  if (env.some((entry) => entry.startsWith('HOME=') && entry.length > 'HOME='.length)) return env;
  const home = homeOf(readPasswd(root), uid) ?? '/';
  return [...env.filter((entry) => !entry.startsWith('HOME=')), `HOME=${home}`];
}

/** Sixth field of the first line whose third is `uid`: passwd(5). */
export function homeOf(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields.length >= 6 && /^\d+$/.test(fields[2] ?? '') && Number(fields[2]) === uid)
      return fields[5] === '' ? undefined : fields[5];
  }
  return undefined;
}

/** Never blocks (a FIFO), never leaves the root (a link), reads a regular file only. */
function readPasswd(root: number): string {
  let descriptor: number;
  try {
    descriptor = openInRoot(root, 'etc/passwd', constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES')) return '';
    throw error;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return '';
    const bytes = Buffer.alloc(Math.min(stats.size, MAX_PASSWD));
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

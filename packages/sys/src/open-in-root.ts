import { constants } from 'node:os';
import { O_CLOEXEC } from './constants.ts';
import { checked, cString, systemCall } from './library.ts';
import type { PathLike } from './system-call-error.ts';

const SYS_OPENAT2 = 437; // the same on every architecture
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;

/** The kernel gives up with EAGAIN when a rename or mount happened meanwhile that it cannot rule out as an escape. */
const MAX_ATTEMPTS = 128;

const openat2Call = systemCall('syscall', 'int64_t', ['int64_t', 'int', 'str', 'void *', 'size_t']);

/**
 * Opens `path` as if the directory `rootFd` were `/`: neither `..` nor a symlink, absolute or not, leads out of it, also
 * while somebody renames things inside. openat2(2) with `RESOLVE_IN_ROOT`, Linux 5.6.
 *
 * @param flags of open(2), from `fs.constants`; `O_CLOEXEC` is added
 * @param mode permissions of a file that `O_CREAT` makes
 * @returns a descriptor for `fs` functions; the caller closes it
 * @throws SystemCallError, `ENOSYS` on an older kernel
 */
export function openInRoot(rootFd: number, path: PathLike, flags: number, mode = 0): number {
  return openat2(rootFd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/**
 * Opens `path` below the directory `rootFd`, refusing any symlink on the way (`ELOOP`) and anything that leads
 * out (`EXDEV`). openat2(2) with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`, Linux 5.6.
 *
 * @param flags of open(2), from `fs.constants`; `O_CLOEXEC` is added
 * @param mode permissions of a file that `O_CREAT` makes
 * @returns a descriptor for `fs` functions; the caller closes it
 * @throws SystemCallError, `ENOSYS` on an older kernel
 */
export function openBeneath(rootFd: number, path: PathLike, flags: number, mode = 0): number {
  return openat2(rootFd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

function openat2(rootFd: number, path: PathLike, flags: number, mode: number, resolve: number): number {
  // struct open_how { __u64 flags, mode, resolve }
  const how = Buffer.from(new BigUint64Array([BigInt(flags | O_CLOEXEC), BigInt(mode), BigInt(resolve)]).buffer);
  const cPath = cString(path, 'openat2');
  let answer = 0;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    answer = openat2Call.tryCall(SYS_OPENAT2, rootFd, cPath, how, how.length);
    if (answer !== -constants.errno.EAGAIN) break;
  }
  return checked(answer, 'openat2', path);
}

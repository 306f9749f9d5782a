import { constants } from 'node:os';
import { checked, cString, systemCall } from './library.ts';
import { type PathLike, SystemCallError } from './system-call-error.ts';

const mountCall = systemCall('mount', 'int', ['str', 'str', 'str', 'uint64_t', 'str']);
const umountCall = systemCall('umount2', 'int', ['str', 'int']);

/** The kernel reads one page of options and cuts the rest off without a word; pages have at least this many bytes. */
const MAX_DATA = 4095;

/**
 * mount(2). `data` is the file system's comma separated options. With a mount namespace of one worker thread
 * ({@link unshare}) only *synchronous* `fs` calls of that thread see the mount: the others run on threads that
 * stayed in the old namespace.
 *
 * @throws SystemCallError; `E2BIG` when `data` has more than 4095 bytes (the kernel would cut it off)
 */
export function mount(
  source: PathLike,
  target: PathLike,
  fstype: string | null,
  flags: number,
  data?: string | Buffer,
): void {
  if (data !== undefined && Buffer.byteLength(data) > MAX_DATA) {
    throw new SystemCallError('mount', constants.errno.E2BIG, source, target);
  }
  const answer = mountCall.tryCall(
    cString(source, 'mount'),
    cString(target, 'mount'),
    fstype === null ? null : cString(fstype, 'mount'),
    flags,
    data === undefined ? null : cString(data, 'mount'),
  );
  checked(answer, 'mount', source, target);
}

/**
 * umount2(2) with `MNT_*` flags.
 *
 * @throws SystemCallError, for example `EBUSY` without `MNT_DETACH`, `EINVAL` when nothing is mounted there
 */
export function umount(target: PathLike, flags = 0): void {
  checked(umountCall.tryCall(cString(target, 'umount2'), flags), 'umount2', target);
}

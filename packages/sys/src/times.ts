import { checked, cString, systemCall } from './library.ts';
import type { PathLike } from './system-call-error.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const NANOSECONDS = 1_000_000_000n;

const utimensatCall = systemCall('utimensat', 'int', ['int', 'str', 'void *', 'int']);
const futimensCall = systemCall('futimens', 'int', ['int', 'void *']);

/**
 * Sets access and modification time, in nanoseconds since 1970 (negative: before), of the path itself (a symlink is
 * not followed) or of an open descriptor.
 *
 * @throws SystemCallError
 */
export function setTimesNs(target: PathLike | number, atimeNs: bigint, mtimeNs: bigint): void {
  const times = Buffer.alloc(32);
  writeTimespec(times, 0, atimeNs);
  writeTimespec(times, 16, mtimeNs);
  if (typeof target === 'number') {
    checked(futimensCall.tryCall(target, times), 'futimens');
    return;
  }
  const answer = utimensatCall.tryCall(AT_FDCWD, cString(target, 'utimensat'), times, AT_SYMLINK_NOFOLLOW);
  checked(answer, 'utimensat', target);
}

/** A struct timespec of a 64-bit machine; the nanoseconds are never negative. */
function writeTimespec(buffer: Buffer, offset: number, timeNs: bigint): void {
  const nanoseconds = ((timeNs % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  writeNative64(buffer, offset, (timeNs - nanoseconds) / NANOSECONDS);
  writeNative64(buffer, offset + 8, nanoseconds);
}

function writeNative64(buffer: Buffer, offset: number, value: bigint): void {
  new BigInt64Array(buffer.buffer, buffer.byteOffset + offset, 1)[0] = value;
}

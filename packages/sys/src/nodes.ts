import { arch, constants } from 'node:os';
import { checked, cString, systemCall } from './library.ts';
import { type PathLike, SystemCallError } from './system-call-error.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;

// glibc before 2.33 exports no mknodat (only a wrapper that takes a version), so the call goes by its number.
const mknodatCall = systemCall('syscall', 'int64_t', ['int64_t', 'int', 'str', 'uint32_t', 'uint32_t']);
const linkatCall = systemCall('linkat', 'int', ['int', 'str', 'int', 'str', 'int']);

const mknodatNumbers: Readonly<Record<string, number>> = {
  x64: 259,
  arm64: 33,
  arm: 324,
  ia32: 297,
  riscv64: 33,
  loong64: 33,
  ppc64: 288,
  s390x: 290,
};

/** A device number in its two halves: major up to 4095, minor up to 1048575. */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/**
 * Makes a device node, FIFO, socket or empty file: mknod(2). `mode` holds the type (`S_IF*`) and the permissions,
 * which the process umask still trims.
 *
 * @throws SystemCallError, `EPERM` for devices without `CAP_MKNOD`, `EINVAL` for a device number out of range
 */
export function mknod(path: PathLike, mode: number, device: DeviceNumber = { major: 0, minor: 0 }): void {
  const number = mknodatNumbers[arch()];
  if (number === undefined) throw new SystemCallError('mknod', constants.errno.ENOSYS, path);
  const encoded = encodeDevice(device);
  if (encoded === undefined) throw new SystemCallError('mknod', constants.errno.EINVAL, path);
  checked(mknodatCall.tryCall(number, AT_FDCWD, cString(path, 'mknod'), mode, encoded), 'mknod', path);
}

/** The kernel's 32-bit form: 12 bits of major between the low 8 and the high 12 bits of minor. */
function encodeDevice({ major, minor }: DeviceNumber): number | undefined {
  const valid = Number.isInteger(major) && major >= 0 && major < 0x1000;
  if (!valid || !Number.isInteger(minor) || minor < 0 || minor >= 0x100000) return undefined;
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Splits the `rdev` of an `fs.Stats` (the C library's 64-bit form) into its two halves. */
export function splitDevice(rdev: number | bigint): DeviceNumber {
  const value = BigInt(rdev);
  return {
    major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n)),
    minor: Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n)),
  };
}

/**
 * Gives the open file `fd` (also one opened with `O_PATH`, or `O_TMPFILE`) the further name `path`, which must not exist.
 * Unlike `fs.link` the source cannot be swapped between check and use. Needs `/proc`.
 *
 * @throws SystemCallError, `EEXIST` when there is something at `path`
 */
export function linkDescriptor(fd: number, path: PathLike): void {
  const source = `/proc/self/fd/${fd}`;
  const answer = linkatCall.tryCall(AT_FDCWD, source, AT_FDCWD, cString(path, 'linkat'), AT_SYMLINK_FOLLOW);
  checked(answer, 'linkat', source, path);
}

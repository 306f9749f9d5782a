import { constants } from 'node:os';
import { checked, cString, systemCall } from './library.ts';
import { type PathLike, SystemCallError } from './system-call-error.ts';

/** What an attribute belongs to: a path (a symlink stands for itself) or an open descriptor. */
export type XattrTarget = PathLike | number;

const pathCalls = {
  list: systemCall('llistxattr', 'int64_t', ['str', 'void *', 'size_t']),
  get: systemCall('lgetxattr', 'int64_t', ['str', 'str', 'void *', 'size_t']),
  set: systemCall('lsetxattr', 'int', ['str', 'str', 'void *', 'size_t', 'int']),
  remove: systemCall('lremovexattr', 'int', ['str', 'str']),
};
const descriptorCalls = {
  list: systemCall('flistxattr', 'int64_t', ['int', 'void *', 'size_t']),
  get: systemCall('fgetxattr', 'int64_t', ['int', 'str', 'void *', 'size_t']),
  set: systemCall('fsetxattr', 'int', ['int', 'str', 'void *', 'size_t', 'int']),
  remove: systemCall('fremovexattr', 'int', ['int', 'str']),
};

/** XATTR_LIST_MAX and XATTR_SIZE_MAX: the kernel gives no more, so that no call is needed to ask for the size. */
const MAX_BYTES = 65536;
let scratch: Buffer | undefined;

/**
 * Names of the extended attributes, as latin1 strings in the file system's order. None, too, where the file system
 * has no attributes. Names in `trusted.` are seen with `CAP_SYS_ADMIN` only.
 *
 * @throws SystemCallError
 */
export function listXattrs(target: XattrTarget): string[] {
  scratch ??= Buffer.allocUnsafeSlow(MAX_BYTES);
  const answer =
    typeof target === 'number'
      ? descriptorCalls.list.tryCall(target, scratch, MAX_BYTES)
      : pathCalls.list.tryCall(cString(target, 'llistxattr'), scratch, MAX_BYTES);
  if (answer === 0 || answer === -constants.errno.ENOTSUP) return [];
  fail(answer, 'llistxattr', target);
  return scratch.toString('latin1', 0, answer - 1).split('\0');
}

/**
 * The value of one attribute, or undefined when the file has none of that name (or its file system has none at all).
 *
 * @throws SystemCallError
 */
export function getXattr(target: XattrTarget, name: string): Buffer | undefined {
  scratch ??= Buffer.allocUnsafeSlow(MAX_BYTES);
  const cName = nameOf(name, 'lgetxattr');
  const answer =
    typeof target === 'number'
      ? descriptorCalls.get.tryCall(target, cName, scratch, MAX_BYTES)
      : pathCalls.get.tryCall(cString(target, 'lgetxattr'), cName, scratch, MAX_BYTES);
  if (answer === -constants.errno.ENODATA || answer === -constants.errno.ENOTSUP) return undefined;
  fail(answer, 'lgetxattr', target);
  return Buffer.from(scratch.subarray(0, answer));
}

/**
 * Creates or replaces an attribute.
 *
 * @throws SystemCallError, `ENOTSUP` where the file system or the kind of file has no such attribute, `EPERM`
 */
export function setXattr(target: XattrTarget, name: string, value: Uint8Array): void {
  const cName = nameOf(name, 'lsetxattr');
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const answer =
    typeof target === 'number'
      ? descriptorCalls.set.tryCall(target, cName, bytes, bytes.length, 0)
      : pathCalls.set.tryCall(cString(target, 'lsetxattr'), cName, bytes, bytes.length, 0);
  fail(answer, 'lsetxattr', target);
}

/**
 * Removes an attribute.
 *
 * @throws SystemCallError, `ENODATA` when there is none of that name
 */
export function removeXattr(target: XattrTarget, name: string): void {
  const cName = nameOf(name, 'lremovexattr');
  const answer =
    typeof target === 'number'
      ? descriptorCalls.remove.tryCall(target, cName)
      : pathCalls.remove.tryCall(cString(target, 'lremovexattr'), cName);
  fail(answer, 'lremovexattr', target);
}

function nameOf(name: string, syscall: string): string | Buffer {
  // Nearly all names are ASCII, which koffi may encode itself.
  return cString(/[\u0080-\u00ff]/.test(name) ? Buffer.from(name, 'latin1') : name, syscall);
}

function fail(answer: number, syscall: string, target: XattrTarget): void {
  if (answer >= 0) return;
  if (typeof target !== 'number') checked(answer, syscall, target);
  throw new SystemCallError(syscall.replace(/^l/, 'f'), -answer);
}

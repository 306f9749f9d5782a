import { checked, cString, systemCall } from './library.ts';
import type { PathLike } from './system-call-error.ts';

const unshareCall = systemCall('unshare', 'int', ['int']);
const setnsCall = systemCall('setns', 'int', ['int', 'int']);
const sethostnameCall = systemCall('sethostname', 'int', ['str', 'size_t']);
const chrootCall = systemCall('chroot', 'int', ['str']);
const prctlCall = systemCall('prctl', 'int', ['int', 'uint64_t', 'uint64_t', 'uint64_t', 'uint64_t']);

/**
 * unshare(2) with `CLONE_*` flags, for the **calling thread** only (a process started by Node is forked from the thread
 * that calls spawn). `CLONE_NEWUSER` always fails with `EINVAL`, because a Node process has several threads:
 * start a helper program for that. `CLONE_NEWPID` concerns children only.
 *
 * @throws SystemCallError, `EPERM` without `CAP_SYS_ADMIN`
 */
export function unshare(flags: number): void {
  checked(unshareCall.tryCall(flags), 'unshare');
}

/**
 * setns(2): the calling thread enters the namespace that `fd` (of a file in `/proc/PID/ns`) stands for.
 *
 * @param type the one `CLONE_NEW*` flag that it must be, or 0 for any
 * @throws SystemCallError
 */
export function setns(fd: number, type = 0): void {
  checked(setnsCall.tryCall(fd, type), 'setns');
}

/**
 * Names the host in the calling thread's UTS namespace.
 *
 * @throws SystemCallError, `EINVAL` when longer than 64 bytes
 */
export function sethostname(name: string): void {
  checked(sethostnameCall.tryCall(cString(name, 'sethostname'), Buffer.byteLength(name)), 'sethostname');
}

/**
 * chroot(2), for the calling thread when it has unshared `CLONE_FS`, else for the whole process.
 *
 * @throws SystemCallError
 */
export function chroot(path: PathLike): void {
  checked(chrootCall.tryCall(cString(path, 'chroot')), 'chroot', path);
}

/**
 * prctl(2) with numeric arguments, for the calling thread (some options: the process).
 *
 * @returns what the option answers
 * @throws SystemCallError
 */
export function prctl(option: number, arg2 = 0, arg3 = 0, arg4 = 0, arg5 = 0): number {
  return checked(prctlCall.tryCall(option, arg2, arg3, arg4, arg5), 'prctl');
}

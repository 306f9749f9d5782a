import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWUTS,
  MNT_DETACH,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
} from '@boxwright/sys';
import type { SandboxUser } from '../spec.ts';
import type { CallList } from './call-list.ts';

const AT_FDCWD = -100;
const LOCKED_DOWN = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/** Purpose of the call that fails when the working directory cannot be entered. */
export const ENTER_WORKING_DIRECTORY = 'go to the working directory';

/** What the command's process makes of itself before it becomes the command. */
export interface Isolation {
  /** Where the root file system is mounted, with /dev and everything under it but /proc and /sys. */
  readonly root: string;
  /** The executable as the root file system names it. */
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: SandboxUser;
  /** False where the kernel lets nobody change supplementary groups. */
  readonly changeGroups: boolean;
  readonly hostname: string;
  readonly ownNetwork: boolean;
  /** Show the host's /sys instead of mounting one: a user namespace without a network namespace may not mount sysfs. */
  readonly bindSys: boolean;
  /** Bit set of the capabilities to keep. */
  readonly capabilities: bigint;
  /** The highest capability number that the kernel knows. */
  readonly lastCapability: number;
  /** An encoded seccomp program. */
  readonly seccomp: Buffer;
  /** Paths under /proc and /sys that exist on this kernel. */
  readonly masked: readonly { readonly path: string; readonly directory: boolean }[];
  readonly readonly: readonly string[];
  readonly cgroups: CgroupMounts;
  /** Make the terminal on stdin the command's. */
  readonly tty: boolean;
}

/** How /sys/fs/cgroup looks: one tree (version 2), or a directory for each hierarchy (version 1). */
export type CgroupMounts =
  | { readonly version: 0 | 2 }
  | { readonly version: 1; readonly hierarchies: readonly { readonly name: string; readonly options: string }[] };

/** Adds the calls that put the calling process into its sandbox and turn it into the command. */
export function isolate(list: CallList, isolation: Isolation): void {
  if (isolation.tty) takeTerminal(list);
  else list.call('start a session', 'setsid');
  unshareNamespaces(list, isolation);
  mountKernelFileSystems(list, isolation);
  changeRoot(list, isolation);
  dropPrivileges(list, isolation);
  list.call(
    `execute ${isolation.executable}`,
    'execve',
    isolation.executable,
    list.stringArray(isolation.args),
    list.stringArray(isolation.env),
  );
}

function unshareNamespaces(list: CallList, isolation: Isolation): void {
  const network = isolation.ownNetwork ? CLONE_NEWNET : 0;
  list.call('unshare namespaces', 'unshare', CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | network);
  list.tryCall('unshare the cgroup namespace', 'unshare', CLONE_NEWCGROUP);
  list.call('set the host name', 'sethostname', isolation.hostname, Buffer.byteLength(isolation.hostname));
  list.tryCall('set the domain name', 'setdomainname', '(none)', 6);
  list.call('make mounts private', 'mount', 'none', '/', 0, MS_REC | MS_PRIVATE, 0);
  if (isolation.ownNetwork) raiseLoopback(list);
}

/** A new network namespace has a loopback device that is down; BuildKit brings it up for `--network=none` too. */
function raiseLoopback(list: CallList): void {
  const AF_INET = 2;
  const SOCK_DGRAM = 2;
  const SIOCSIFFLAGS = 0x8914;
  const IFF_UP = 1;
  const request = Buffer.alloc(40); // struct ifreq
  request.write('lo');
  request.writeUInt16LE(IFF_UP, 16);
  // The lowest free descriptor: everything above the status descriptor has been closed.
  const socket = 4;
  list.call('open a socket', 'socket', AF_INET, SOCK_DGRAM, 0);
  list.call('raise the loopback device', 'ioctl', socket, SIOCSIFFLAGS, list.memory(request));
  list.call('close the socket', 'close', socket);
}

/** /proc must be mounted from inside the PID namespace, /sys from inside the network namespace, mqueue inside the IPC one. */
function mountKernelFileSystems(list: CallList, isolation: Isolation): void {
  list.call('go to the root file system', 'chdir', isolation.root);
  list.call('mount /proc', 'mount', 'proc', 'proc', 'proc', LOCKED_DOWN, 0);
  list.tryCall('mount /dev/mqueue', 'mount', 'mqueue', 'dev/mqueue', 'mqueue', LOCKED_DOWN, 0);
  mountSys(list, isolation);
  for (const path of isolation.readonly) {
    const target = path.slice(1);
    list.call(`bind ${path}`, 'mount', target, target, 0, MS_BIND | MS_REC, 0);
    list.call(`make ${path} read-only`, 'mount', 'none', target, 0, MS_REMOUNT | MS_BIND | MS_RDONLY | LOCKED_DOWN, 0);
  }
  for (const { path, directory } of isolation.masked) {
    const target = path.slice(1);
    if (directory)
      list.call(`hide ${path}`, 'mount', 'tmpfs', target, 'tmpfs', MS_RDONLY | LOCKED_DOWN, 'size=4k,nr_inodes=1');
    else list.call(`hide ${path}`, 'mount', '/dev/null', target, 0, MS_BIND, 0);
  }
}

function mountSys(list: CallList, { bindSys, cgroups }: Isolation): void {
  const flags = LOCKED_DOWN | MS_RDONLY;
  if (bindSys) {
    list.call('bind /sys', 'mount', '/sys', 'sys', 0, MS_BIND | MS_REC, 0);
    list.call('make /sys read-only', 'mount', 'none', 'sys', 0, MS_REMOUNT | MS_BIND | flags, 0);
  } else {
    list.call('mount /sys', 'mount', 'sysfs', 'sys', 'sysfs', flags, 0);
  }
  const target = 'sys/fs/cgroup';
  if (cgroups.version === 2) list.tryCall('mount cgroups', 'mount', 'cgroup', target, 'cgroup2', flags, 0);
  if (cgroups.version !== 1) return;
  list.tryCall('mount cgroups', 'mount', 'tmpfs', target, 'tmpfs', LOCKED_DOWN, 'mode=755,size=4k');
  for (const { name, options } of cgroups.hierarchies) {
    list.tryCall('make a cgroup directory', 'mkdirat', AT_FDCWD, `${target}/${name}`, 0o755);
    list.tryCall('mount a cgroup hierarchy', 'mount', 'cgroup', `${target}/${name}`, 'cgroup', flags, options);
  }
  list.tryCall('make cgroups read-only', 'mount', 'none', target, 0, MS_REMOUNT | MS_BIND | flags, 0);
}

function changeRoot(list: CallList, isolation: Isolation): void {
  // The new root is mounted over the old one at the same place, which is then taken away: pivot_root(2), Notes.
  list.call('change the root', 'pivot_root', '.', '.');
  list.call('leave the old root', 'umount2', '.', MNT_DETACH);
  list.call('go to the new root', 'chdir', '/');
  list.call('set the umask', 'umask', 0o022);
  list.call(ENTER_WORKING_DIRECTORY, 'chdir', isolation.cwd);
}

function dropPrivileges(list: CallList, isolation: Isolation): void {
  const PR_SET_SECCOMP = 22;
  const PR_CAPBSET_DROP = 24;
  const PR_CAP_AMBIENT = 47;
  const PR_CAP_AMBIENT_CLEAR_ALL = 4;
  const SECCOMP_MODE_FILTER = 2;
  // Before capabilities go: without no_new_privs (sudo must work) a filter takes CAP_SYS_ADMIN.
  const filter = list.memory(isolation.seccomp);
  const program = Buffer.alloc(16); // struct sock_fprog
  program.writeUInt16LE(isolation.seccomp.length / 8);
  program.writeUInt32LE(filter.address, 8);
  list.call('set the seccomp filter', 'prctl', PR_SET_SECCOMP, SECCOMP_MODE_FILTER, list.memory(program));
  for (let capability = 0; capability <= isolation.lastCapability; capability++) {
    if (((isolation.capabilities >> BigInt(capability)) & 1n) === 1n) continue;
    list.call(`drop capability ${capability}`, 'prctl', PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  list.tryCall('clear ambient capabilities', 'prctl', PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  setCapabilities(list, isolation.capabilities);
  setUser(list, isolation);
}

/** Permitted and effective become `capabilities`, inheritable none: capset(2), version 3 of its structures. */
function setCapabilities(list: CallList, capabilities: bigint): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x20080522);
  const data = Buffer.alloc(24);
  for (const half of [0, 1]) {
    const bits = Number((capabilities >> BigInt(32 * half)) & 0xffffffffn);
    data.writeUInt32LE(bits, half * 12);
    data.writeUInt32LE(bits, half * 12 + 4);
  }
  list.call('set capabilities', 'capset', list.memory(header), list.memory(data));
}

function setUser(list: CallList, { user: { uid, gid, additionalGids }, changeGroups }: Isolation): void {
  const groups = [...new Set([gid, ...additionalGids])];
  const ids = Buffer.alloc(groups.length * 4);
  groups.forEach((group, index) => {
    ids.writeUInt32LE(group, index * 4);
  });
  if (changeGroups) list.call('set the groups', 'setgroups', groups.length, list.memory(ids));
  list.call(`set the group ${gid}`, 'setresgid', gid, gid, gid);
  list.call(`set the user ${uid}`, 'setresuid', uid, uid, uid);
}

const TIOCSPGRP = 0x5410;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;

/** Makes the command's new process group the foreground one, as a shell does for its jobs. */
function takeTerminal(list: CallList): void {
  const group = Buffer.alloc(16);
  group.writeUInt32LE(1); // this process's id in its namespace
  blockBackgroundSignal(list, SIG_BLOCK);
  list.call('start a process group', 'setpgid', 0, 0);
  list.tryCall('take the terminal', 'ioctl', 0, TIOCSPGRP, list.memory(group));
  blockBackgroundSignal(list, SIG_UNBLOCK);
}

/** Gives the terminal back to the process group that the init belongs to, for the init to call at its end. */
export function returnTerminal(list: CallList): void {
  blockBackgroundSignal(list, SIG_BLOCK);
  const group = list.call('ask for the process group', 'getpgid', 0).lastResult();
  list.tryCall('return the terminal', 'ioctl', 0, TIOCSPGRP, group);
}

/** SIGTTOU comes to a background process that takes the terminal, unless it is blocked. */
function blockBackgroundSignal(list: CallList, how: number): void {
  const SIGTTOU = 22;
  const set = Buffer.alloc(16);
  set.writeBigUInt64LE(1n << BigInt(SIGTTOU - 1));
  list.call('block SIGTTOU', 'rt_sigprocmask', how, list.memory(set), 0, 8);
}

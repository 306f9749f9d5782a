import { lstatSync, readFileSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { defaultCapabilities, maskedPaths, readonlyPaths } from './docker-defaults.ts';
import type { CgroupMounts } from './init/isolate.ts';
import { hasId, type IdRange, parseIdMap } from './subordinate-ids.ts';

/** What the sandbox needs to know about the kernel and this process; does not change while the process lives. */
export interface HostFacts {
  /** True in a user namespace: "root" is some other user of the host. */
  readonly userNamespace: boolean;
  /** Bit set: Docker's default capabilities, as far as this process has them. */
  readonly capabilities: bigint;
  readonly lastCapability: number;
  readonly masked: readonly { readonly path: string; readonly directory: boolean }[];
  readonly readonly: readonly string[];
  readonly cgroups: CgroupMounts;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** False in a user namespace with only one user, who may not drop groups: user_namespaces(7). */
  readonly mayChangeGroups: boolean;
}

let facts: HostFacts | undefined;

/** Read once per thread. */
export function hostFacts(): HostFacts {
  facts ??= {
    userNamespace: inUserNamespace(),
    capabilities: capabilitiesToKeep(readFileSync('/proc/self/status', 'utf8')),
    lastCapability: Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')),
    masked: maskedPaths.flatMap((path) => {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ path, directory: stats.isDirectory() }];
    }),
    readonly: readonlyPaths.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined),
    cgroups: cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8')),
    uids: parseIdMap(readFileSync('/proc/self/uid_map', 'utf8')),
    gids: parseIdMap(readFileSync('/proc/self/gid_map', 'utf8')),
    mayChangeGroups: readFileSync('/proc/self/setgroups', 'utf8').trim() === 'allow',
  };
  return facts;
}

/** The initial user namespace maps every id to itself: user_namespaces(7). */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
}

/** Docker's capabilities that are in both the permitted and the bounding set of a `/proc/PID/status`. */
export function capabilitiesToKeep(status: string): bigint {
  const set = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  const available = set('CapPrm') & set('CapBnd');
  return Object.values(defaultCapabilities).reduce((bits, number) => bits | (1n << BigInt(number)), 0n) & available;
}

/** What is mounted at /sys/fs/cgroup, from a `/proc/PID/mountinfo`: proc_pid_mountinfo(5). */
export function cgroupMounts(mountinfo: string): CgroupMounts {
  const hierarchies = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [mount = '', file = ''] = line.split(' - ');
    const target = mount.split(' ')[4] ?? '';
    const [type, , options = ''] = file.split(' ');
    if (target === '/sys/fs/cgroup' && type === 'cgroup2') return { version: 2 };
    const name = /^\/sys\/fs\/cgroup\/([\w,=-]+)$/.exec(target)?.[1];
    if (type !== 'cgroup' || name === undefined) continue;
    const own = options
      .split(',')
      .filter((option) => option !== 'rw' && option !== 'ro' && !option.startsWith('release_agent'));
    hierarchies.set(name, own.join(','));
  }
  if (hierarchies.size === 0) return { version: 0 };
  return { version: 1, hierarchies: Array.from(hierarchies, ([name, options]) => ({ name, options })) };
}

/**
 * Checks that ids of the image exist in this process's user namespace.
 *
 * @throws BoxwrightError `SANDBOX_USER_UNMAPPED`
 */
export function requireMapped(uid: number, gids: readonly number[]): void {
  const host = hostFacts();
  const missing = !hasId(host.uids, uid)
    ? `user ${uid}`
    : gids.filter((gid) => !hasId(host.gids, gid)).map((gid) => `group ${gid}`)[0];
  if (missing === undefined) return;
  throw new BoxwrightError('SANDBOX_USER_UNMAPPED', `${missing} of the image does not exist in this user namespace`, {
    hint: 'Give your user a range of subordinate ids (`boxwright doctor` tells how), or run as root.',
    details: { uid, gids },
  });
}

/**
 * What a container of Docker Engine or a RUN of BuildKit may do and see, unless asked otherwise:
 * https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
 */

/** Numbers of linux/capability.h of the capabilities that root keeps. */
export const defaultCapabilities: Readonly<Record<string, number>> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_RAW: 13,
  CAP_SYS_CHROOT: 18,
  CAP_MKNOD: 27,
  CAP_AUDIT_WRITE: 29,
  CAP_SETFCAP: 31,
};

/** Hidden: a file is covered with /dev/null, a directory with an empty read-only tmpfs. */
export const maskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Visible, not writable. */
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Devices that a command finds in /dev beside pts, shm, mqueue and the links to /proc/self/fd. */
export const deviceNames: readonly string[] = ['full', 'null', 'random', 'tty', 'urandom', 'zero'];

/** The host name that BuildKit gives to every RUN. */
export const DEFAULT_HOSTNAME = 'buildkitsandbox';

/** Where runc looks for a command when the environment has no PATH. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

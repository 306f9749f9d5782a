/** Numbers of the system calls that a {@link CallList} may hold: x64, then arm64 (asm-generic/unistd.h). */
const numbers = {
  capset: [126, 91],
  chdir: [80, 49],
  clone: [56, 220],
  close: [3, 57],
  close_range: [436, 436],
  execve: [59, 221],
  exit_group: [231, 94],
  fcntl: [72, 25],
  getpgid: [121, 155],
  getpid: [39, 172],
  ioctl: [16, 29],
  mkdirat: [258, 34],
  mount: [165, 40],
  openat: [257, 56],
  pivot_root: [155, 41],
  prctl: [157, 167],
  read: [0, 63],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  setdomainname: [171, 162],
  setgroups: [116, 159],
  sethostname: [170, 161],
  setpgid: [109, 154],
  setresgid: [119, 149],
  setresuid: [117, 147],
  setsid: [112, 157],
  socket: [41, 198],
  symlinkat: [266, 36],
  umask: [95, 166],
  umount2: [166, 39],
  unshare: [272, 97],
  wait4: [61, 260],
  write: [1, 64],
} as const;

/** Name of a system call that the init can make. */
export type SystemCallName = keyof typeof numbers;

/** The number of a call on this processor. */
export function systemCallNumber(name: SystemCallName, architecture: 'x64' | 'arm64'): number {
  return numbers[name][architecture === 'x64' ? 0 : 1];
}

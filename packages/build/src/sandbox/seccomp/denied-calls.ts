/** No such call in that ABI. */
const none = -1;

/** The four ABIs that the table has a column for: 64-bit x86 and its 32-bit mode, 64-bit Arm and its 32-bit mode. */
export type SystemCallAbi = 'x64' | 'x86' | 'arm64' | 'arm';

const columns: readonly SystemCallAbi[] = ['x64', 'x86', 'arm64', 'arm'];

/**
 * Calls that Docker's default profile refuses to a process with Docker's default capabilities: what manages the machine
 * (mounts, modules, clocks, swap, reboot), what sees over namespaces (keys, BPF, performance counters, file handles) and
 * what has often been the way out (userfaultfd, io_uring). https://docs.docker.com/engine/security/seccomp/
 */
const table: Readonly<Record<string, readonly [number, number, number, number]>> = {
  acct: [163, 51, 89, 51],
  add_key: [248, 286, 217, 309],
  bpf: [321, 357, 280, 386],
  clock_settime: [227, 264, 112, 262],
  clock_settime64: [none, 404, none, 404],
  create_module: [174, 127, none, none],
  delete_module: [176, 129, 106, 129],
  fanotify_init: [300, 338, 262, 367],
  finit_module: [313, 350, 273, 379],
  fsconfig: [431, 431, 431, 431],
  fsmount: [432, 432, 432, 432],
  fsopen: [430, 430, 430, 430],
  fspick: [433, 433, 433, 433],
  get_kernel_syms: [177, 130, none, none],
  get_mempolicy: [239, 275, 236, 320],
  init_module: [175, 128, 105, 128],
  io_uring_enter: [426, 426, 426, 426],
  io_uring_register: [427, 427, 427, 427],
  io_uring_setup: [425, 425, 425, 425],
  ioperm: [173, 101, none, none],
  iopl: [172, 110, none, none],
  kcmp: [312, 349, 272, 378],
  kexec_file_load: [320, none, 294, 401],
  kexec_load: [246, 283, 104, 347],
  keyctl: [250, 288, 219, 311],
  lookup_dcookie: [212, 253, 18, 249],
  mbind: [237, 274, 235, 319],
  mount: [165, 21, 40, 21],
  mount_setattr: [442, 442, 442, 442],
  move_mount: [429, 429, 429, 429],
  move_pages: [279, 317, 239, 344],
  nfsservctl: [180, 169, 42, 169],
  open_by_handle_at: [304, 342, 265, 371],
  open_tree: [428, 428, 428, 428],
  perf_event_open: [298, 336, 241, 364],
  pidfd_getfd: [438, 438, 438, 438],
  pivot_root: [155, 217, 41, 218],
  process_madvise: [440, 440, 440, 440],
  query_module: [178, 167, none, none],
  quotactl: [179, 131, 60, 131],
  quotactl_fd: [443, 443, 443, 443],
  reboot: [169, 88, 142, 88],
  request_key: [249, 287, 218, 310],
  set_mempolicy: [238, 276, 237, 321],
  set_mempolicy_home_node: [450, 450, 450, 450],
  setdomainname: [171, 121, 162, 121],
  sethostname: [170, 74, 161, 74],
  setns: [308, 346, 268, 375],
  settimeofday: [164, 79, 170, 79],
  stime: [none, 25, none, 25],
  swapoff: [168, 115, 225, 115],
  swapon: [167, 87, 224, 87],
  _sysctl: [156, 149, none, 149],
  sysfs: [139, 135, none, 135],
  syslog: [103, 103, 116, 103],
  umount: [none, 22, none, 22],
  umount2: [166, 52, 39, 52],
  unshare: [272, 310, 97, 337],
  uselib: [134, 86, none, 86],
  userfaultfd: [323, 374, 282, 388],
  ustat: [136, 62, none, 62],
  vhangup: [153, 111, 58, 111],
  vm86: [none, 166, none, none],
  vm86old: [none, 113, none, none],
};

/** Calls that are refused for some arguments only. */
const conditional: Readonly<
  Record<'clone' | 'clone3' | 'ioctl' | 'personality' | 'socket', readonly [number, number, number, number]>
> = {
  clone: [56, 120, 220, 120],
  clone3: [435, 435, 435, 435],
  ioctl: [16, 54, 29, 54],
  personality: [135, 136, 92, 136],
  socket: [41, 359, 198, 281],
};

/** The `CLONE_NEW*` flags of clone(2): time namespaces have no flag there. */
export const CLONE_NEW_MASK = 0x7e020000;

/** The execution domains that personality(2) may set or ask for: Linux, the 32-bit one, each with or without UNAME26. */
export const allowedPersonalities: readonly number[] = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** ioctl(2) requests that type into a terminal, TIOCSTI and TIOCLINUX: `run -t` lends the command the user's. */
export const typingRequests: readonly number[] = [0x5412, 0x541c];

/** Sockets to the hypervisor know no namespaces. */
export const AF_VSOCK = 40;

/** Names of the calls that are always refused. */
export const deniedCallNames: readonly string[] = Object.keys(table);

/** Numbers of the calls that are always refused, in one ABI. */
export function deniedCallNumbers(abi: SystemCallAbi): number[] {
  const column = columns.indexOf(abi);
  return Object.values(table).flatMap((row) => {
    const number = row[column];
    return number === undefined || number === none ? [] : [number];
  });
}

/** Number of a call that is refused for some arguments only. */
export function conditionalCallNumber(name: keyof typeof conditional, abi: SystemCallAbi): number {
  return conditional[name][columns.indexOf(abi)] ?? none;
}

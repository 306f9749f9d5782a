import { describe, expect, it } from 'vitest';
import { seccompFilter } from './filter.ts';
import { denyingSeccomp } from './profile.ts';

const EPERM = 1;
const ENOSYS = 38;
const X64 = 0xc000003e;
const X86 = 0x40000003;
const ARM64 = 0xc00000b7;
const ARM = 0x40000028;

/** What the kernel would do: runs the classic BPF program on one struct seccomp_data. Answers 0 for "allow", else the errno. */
function decide(filter: Buffer, architecture: number, number: number, argument = 0): number {
  const words: Readonly<Record<number, number>> = { 0: number, 4: architecture, 16: argument, 24: argument };
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const code = filter.readUInt16LE(at * 8);
    const value = filter.readUInt32LE(at * 8 + 4);
    if (code === 0x20) accumulator = (words[value] ?? Number.NaN) >>> 0;
    else if (code === 0x06) return value === 0x7fff0000 ? 0 : value & 0xffff;
    else {
      const holds =
        code === 0x15 ? accumulator === value : code === 0x35 ? accumulator >= value : (accumulator & value) !== 0;
      at += filter.readUInt8(at * 8 + (holds ? 2 : 3));
    }
  }
  throw new RangeError('the filter runs off its end');
}

describe('seccompFilter', () => {
  const x64 = seccompFilter('x64');
  const arm64 = seccompFilter('arm64');

  it.each([
    ['read', X64, 0, 0, 0],
    ['execve', X64, 59, 0, 0],
    ['ptrace', X64, 101, 0, 0],
    ['chroot', X64, 161, 0, 0],
    ['mknodat', X64, 259, 0, 0],
    ['mount', X64, 165, 0, EPERM],
    ['umount2', X64, 166, 0, EPERM],
    ['unshare', X64, 272, 0x10000000, EPERM],
    ['setns', X64, 308, 0, EPERM],
    ['keyctl', X64, 250, 0, EPERM],
    ['bpf', X64, 321, 0, EPERM],
    ['io_uring_setup', X64, 425, 0, EPERM],
    ['userfaultfd', X64, 323, 0, EPERM],
    ['open_by_handle_at', X64, 304, 0, EPERM],
    ['clone of a thread', X64, 56, 0x3d0f00, 0],
    ['clone with a user namespace', X64, 56, 0x10000011, EPERM],
    ['clone with a mount namespace', X64, 56, 0x00020011, EPERM],
    ['clone3', X64, 435, 0, ENOSYS],
    ['socket AF_INET', X64, 41, 2, 0],
    ['socket AF_VSOCK', X64, 41, 40, EPERM],
    ['personality, asking', X64, 135, 0xffffffff, 0],
    ['personality 32 bit', X64, 135, 8, 0],
    ['personality without address randomisation', X64, 135, 0x40000, EPERM],
    ['ioctl TIOCGWINSZ', X64, 16, 0x5413, 0],
    ['ioctl TIOCSTI', X64, 16, 0x5412, EPERM],
    ['32-bit ioctl TIOCLINUX', X86, 54, 0x541c, EPERM],
    ['x32 read', X64, 0x40000000, 0, ENOSYS],
    ['32-bit read', X86, 3, 0, 0],
    ['32-bit mount', X86, 21, 0, EPERM],
    ['32-bit umount', X86, 22, 0, EPERM],
    ['32-bit clone with a user namespace', X86, 120, 0x10000011, EPERM],
    ['the call that is mount in the other ABI', X86, 165, 0, 0],
    ['an unknown ABI', ARM64, 63, 0, ENOSYS],
  ])('x64: %s', (_name, architecture, number, argument, expected) => {
    expect(decide(x64, architecture, number, argument)).toBe(expected);
  });

  it.each([
    ['read', ARM64, 63, 0, 0],
    ['mount', ARM64, 40, 0, EPERM],
    ['unshare', ARM64, 97, 0, EPERM],
    ['clone of a process', ARM64, 220, 17, 0],
    ['clone with a user namespace', ARM64, 220, 0x10000011, EPERM],
    ['32-bit mount', ARM, 21, 0, EPERM],
    ['32-bit unshare', ARM, 337, 0, EPERM],
    ['32-bit read', ARM, 3, 0, 0],
    ['an unknown ABI', X64, 0, 0, ENOSYS],
  ])('arm64: %s', (_name, architecture, number, argument, expected) => {
    expect(decide(arm64, architecture, number, argument)).toBe(expected);
  });

  it('ends in a decision for every call number', () => {
    for (let number = 0; number < 600; number++) {
      for (const [filter, architecture] of [
        [x64, X64],
        [x64, X86],
        [arm64, ARM64],
        [arm64, ARM],
      ] as const) {
        expect([0, EPERM, ENOSYS]).toContain(decide(filter, architecture, number));
      }
    }
  });
});

describe('denyingSeccomp', () => {
  it('refuses namespaces one flag at a time', () => {
    const { syscalls } = denyingSeccomp() as {
      syscalls: { names: string[]; args?: { value: number; valueTwo: number }[] }[];
    };
    const flags = syscalls.filter(({ names }) => names.includes('clone')).flatMap(({ args }) => args ?? []);
    expect(flags.reduce((all, { value, valueTwo }) => (value === valueTwo ? all | value : 0), 0)).toBe(0x7e020000);
  });
});

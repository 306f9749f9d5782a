import {
  AF_VSOCK,
  allowedPersonalities,
  CLONE_NEW_MASK,
  conditionalCallNumber,
  deniedCallNumbers,
  type SystemCallAbi,
  typingRequests,
} from './denied-calls.ts';

// Instructions of classic BPF (linux/bpf_common.h) as seccomp takes them.
const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER_EQUAL = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const JUMP_BITS = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

// struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }, little endian
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

/** Calls of the x32 ABI, which Docker's profile knows but almost no kernel has, carry this bit. */
const X32_BIT = 0x40000000;

// AUDIT_ARCH_* of linux/audit.h
const auditArchitectures: Readonly<Record<SystemCallAbi, number>> = {
  x64: 0xc000003e,
  x86: 0x40000003,
  arm64: 0xc00000b7,
  arm: 0x40000028,
};

/** One instruction; jumps are counted from the next one. */
type Instruction = readonly [code: number, value: number, jumpTrue: number, jumpFalse: number];

const refuse = (errno: number): Instruction => [RETURN, ERRNO | errno, 0, 0];
const allow: Instruction = [RETURN, ALLOW, 0, 0];

/**
 * The seccomp filter of the sandbox as an array of struct sock_filter: everything is allowed but what
 * denied-calls.ts lists, in the processor's own ABI and its 32-bit one; other ABIs get ENOSYS.
 */
export function seccompFilter(architecture: 'x64' | 'arm64'): Buffer {
  const abis: readonly SystemCallAbi[] = architecture === 'x64' ? ['x64', 'x86'] : ['arm64', 'arm'];
  const blocks = abis.map((abi) => blockFor(abi));
  const program: Instruction[] = [];
  for (const [index, block] of blocks.entries()) {
    const abi = abis[index] ?? architecture;
    program.push([LOAD, ARCHITECTURE, 0, 0]);
    program.push([JUMP_EQUAL, auditArchitectures[abi], 0, block.length]);
    program.push(...block);
  }
  program.push(refuse(ENOSYS));
  return encode(program);
}

/** Decides about one ABI; at most 253 instructions, every path ends in a return. */
function blockFor(abi: SystemCallAbi): Instruction[] {
  const block: Instruction[] = [[LOAD, NUMBER, 0, 0]];
  if (abi === 'x64') block.push([JUMP_GREATER_EQUAL, X32_BIT, 0, 1], refuse(ENOSYS));
  block.push([JUMP_EQUAL, conditionalCallNumber('clone', abi), 0, 4]);
  block.push([LOAD, FIRST_ARGUMENT, 0, 0], [JUMP_BITS, CLONE_NEW_MASK, 0, 1], refuse(EPERM), allow);
  // The flags of clone3 are in memory, which a filter cannot read; the C libraries then fall back to clone.
  block.push([JUMP_EQUAL, conditionalCallNumber('clone3', abi), 0, 1], refuse(ENOSYS));
  block.push([JUMP_EQUAL, conditionalCallNumber('socket', abi), 0, 4]);
  block.push([LOAD, FIRST_ARGUMENT, 0, 0], [JUMP_EQUAL, AF_VSOCK, 0, 1], refuse(EPERM), allow);
  block.push([JUMP_EQUAL, conditionalCallNumber('personality', abi), 0, allowedPersonalities.length * 2 + 2]);
  block.push([LOAD, FIRST_ARGUMENT, 0, 0]);
  for (const personality of allowedPersonalities) block.push([JUMP_EQUAL, personality, 0, 1], allow);
  block.push(refuse(EPERM));
  block.push([JUMP_EQUAL, conditionalCallNumber('ioctl', abi), 0, typingRequests.length * 2 + 2]);
  block.push([LOAD, SECOND_ARGUMENT, 0, 0]);
  for (const request of typingRequests) block.push([JUMP_EQUAL, request, 0, 1], refuse(EPERM));
  block.push(allow);
  const denied = deniedCallNumbers(abi);
  denied.forEach((number, index) => {
    block.push([JUMP_EQUAL, number, denied.length - index, 0]);
  });
  block.push(allow, refuse(EPERM));
  return block;
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, value, jumpTrue, jumpFalse]] of program.entries()) {
    if (jumpTrue > 255 || jumpFalse > 255) throw new RangeError('a jump of the seccomp filter is too long');
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}

import { LIST_ADDRESS, LIST_SIZE, machineCode } from './machine-code.ts';

/** ELF machine numbers by `os.arch()`. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

const CODE_ADDRESS = 0x400000;
const FILE_HEADER = 64;
const PROGRAM_HEADER = 56;
const PT_LOAD = 1;
const READ_WRITE = 6;
const READ_EXECUTE = 5;
/** The largest page size of arm64 kernels. */
const ALIGNMENT = 0x10000;

/**
 * The sandbox's init: a static ELF executable of a few hundred bytes that makes the system calls which a command's
 * process must make for itself (new namespaces, pivot_root, capabilities, seccomp, execve), as told by a {@link CallList}.
 * It needs no libc and no helper program of the host, and starts in a tenth of a millisecond.
 *
 * @returns undefined for a processor without code
 */
export function initProgram(architecture: string): Buffer | undefined {
  return elfProgram(architecture, machineCode(architecture)?.init);
}

/** A program that does nothing, with success: something to run when a sandbox is tried out. */
export function probeProgram(architecture: string): Buffer | undefined {
  return elfProgram(architecture, machineCode(architecture)?.probe);
}

function elfProgram(architecture: string, code: Buffer | undefined): Buffer | undefined {
  const machine = machines[architecture];
  if (code === undefined || machine === undefined) return undefined;
  const codeOffset = FILE_HEADER + 2 * PROGRAM_HEADER;
  const file = Buffer.alloc(codeOffset + code.length);
  // e_ident: magic, 64 bits, little endian, version 1
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // e_type ET_EXEC
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20); // e_version
  file.writeBigUInt64LE(BigInt(CODE_ADDRESS + codeOffset), 24); // e_entry
  file.writeBigUInt64LE(BigInt(FILE_HEADER), 32); // e_phoff
  file.writeUInt16LE(FILE_HEADER, 52); // e_ehsize
  file.writeUInt16LE(PROGRAM_HEADER, 54); // e_phentsize
  file.writeUInt16LE(2, 56); // e_phnum
  writeSegment(file, FILE_HEADER, {
    flags: READ_EXECUTE,
    address: CODE_ADDRESS,
    fileSize: file.length,
    size: file.length,
  });
  // Memory only, for the list; untouched pages of it cost nothing.
  writeSegment(file, FILE_HEADER + PROGRAM_HEADER, {
    flags: READ_WRITE,
    address: LIST_ADDRESS,
    fileSize: 0,
    size: LIST_SIZE,
  });
  code.copy(file, codeOffset);
  return file;
}

interface Segment {
  readonly flags: number;
  readonly address: number;
  readonly fileSize: number;
  readonly size: number;
}

function writeSegment(file: Buffer, offset: number, segment: Segment): void {
  file.writeUInt32LE(PT_LOAD, offset);
  file.writeUInt32LE(segment.flags, offset + 4);
  // p_offset (8) stays 0: both addresses are aligned
  file.writeBigUInt64LE(BigInt(segment.address), offset + 16);
  file.writeBigUInt64LE(BigInt(segment.address), offset + 24);
  file.writeBigUInt64LE(BigInt(segment.fileSize), offset + 32);
  file.writeBigUInt64LE(BigInt(segment.size), offset + 40);
  file.writeBigUInt64LE(BigInt(ALIGNMENT), offset + 48);
}

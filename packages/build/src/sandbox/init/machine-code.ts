/**
 * The programs of program.ts in machine code. The init reads a list of system calls from descriptor 4 and makes them one
 * after the other. It stands here as numbers because npm packages must run without a compiler and Node cannot fork; the
 * comments are its assembly source.
 *
 * A record of the list is ten 64-bit words: call number, six arguments, control, result, tag. Control: bit 0 = a failure
 * does not matter; bit 1 = when the result is positive (the parent after clone) continue at the record whose address
 * is in the upper half; 0 = go on. On a failure that matters the record's address is put into its last word, the last two
 * words are written to descriptor 3, and the program exits with 125.
 */

const x64 = `
  31 c0                    xor  %eax, %eax            # read(4, LIST, SIZE)
  bf 04 00 00 00           mov  $4, %edi
  be 00 00 00 01           mov  $0x1000000, %esi
  ba 00 00 00 01           mov  $0x1000000, %edx
  0f 05                    syscall
  41 bc 00 00 00 01        mov  $0x1000000, %r12d     # r12: the current record
  49 8b 04 24        next: mov  (%r12), %rax
  49 8b 7c 24 08           mov  8(%r12), %rdi
  49 8b 74 24 10           mov  16(%r12), %rsi
  49 8b 54 24 18           mov  24(%r12), %rdx
  4d 8b 54 24 20           mov  32(%r12), %r10
  4d 8b 44 24 28           mov  40(%r12), %r8
  4d 8b 4c 24 30           mov  48(%r12), %r9
  0f 05                    syscall
  49 8b 5c 24 38           mov  56(%r12), %rbx        # rbx: control
  49 89 44 24 40           mov  %rax, 64(%r12)
  48 85 c0                 test %rax, %rax
  78 16                    js   failed
  74 0e                    jz   step
  f6 c3 02                 test $2, %bl
  74 09                    jz   step
  48 c1 eb 20              shr  $32, %rbx
  49 89 dc                 mov  %rbx, %r12
  eb bd                    jmp  next
  49 83 c4 50        step: add  $80, %r12
  eb b7                    jmp  next
  f6 c3 01         failed: test $1, %bl
  75 f5                    jnz  step
  4d 89 64 24 48           mov  %r12, 72(%r12)
  b8 01 00 00 00           mov  $1, %eax              # write(3, result and address, 16)
  bf 03 00 00 00           mov  $3, %edi
  49 8d 74 24 40           lea  64(%r12), %rsi
  ba 10 00 00 00           mov  $16, %edx
  0f 05                    syscall
  b8 e7 00 00 00           mov  $231, %eax            # exit_group(125)
  bf 7d 00 00 00           mov  $125, %edi
  0f 05                    syscall
`;

const arm64 = `
  e8 07 80 d2              mov  x8, #63               // read(4, LIST, SIZE)
  80 00 80 d2              mov  x0, #4
  01 20 a0 d2              mov  x1, #0x1000000
  02 20 a0 d2              mov  x2, #0x1000000
  01 00 00 d4              svc  #0
  13 20 a0 d2              mov  x19, #0x1000000       // x19: the current record
  68 02 40 a9        next: ldp  x8, x0, [x19]
  61 0a 41 a9              ldp  x1, x2, [x19, #16]
  63 12 42 a9              ldp  x3, x4, [x19, #32]
  65 52 43 a9              ldp  x5, x20, [x19, #48]   // x20: control
  01 00 00 d4              svc  #0
  60 22 00 f9              str  x0, [x19, #64]
  e0 00 f8 b7              tbnz x0, #63, failed
  80 00 00 b4              cbz  x0, step
  74 00 08 36              tbz  w20, #1, step
  93 fe 60 d3              lsr  x19, x20, #32
  f6 ff ff 17              b    next
  73 42 01 91        step: add  x19, x19, #80
  f4 ff ff 17              b    next
  d4 ff 07 37      failed: tbnz w20, #0, step
  73 26 00 f9              str  x19, [x19, #72]
  08 08 80 d2              mov  x8, #64               // write(3, result and address, 16)
  60 00 80 d2              mov  x0, #3
  61 02 01 91              add  x1, x19, #64
  02 02 80 d2              mov  x2, #16
  01 00 00 d4              svc  #0
  c8 0b 80 d2              mov  x8, #94               // exit_group(125)
  a0 0f 80 d2              mov  x0, #125
  01 00 00 d4              svc  #0
`;

/** Where the list is read to, and its largest size: both 16 MiB, as the machine code says. */
export const LIST_ADDRESS = 0x1000000;
export const LIST_SIZE = 0x1000000;

const x64Probe = `
  b8 e7 00 00 00           mov  $231, %eax            # exit_group(0)
  31 ff                    xor  %edi, %edi
  0f 05                    syscall
`;

const arm64Probe = `
  c8 0b 80 d2              mov  x8, #94               // exit_group(0)
  00 00 80 d2              mov  x0, #0
  01 00 00 d4              svc  #0
`;

/** The code for a processor as `os.arch()` names it; undefined where there is none yet. */
export function machineCode(architecture: string): { readonly init: Buffer; readonly probe: Buffer } | undefined {
  if (architecture === 'x64') return { init: assemble(x64), probe: assemble(x64Probe) };
  if (architecture === 'arm64') return { init: assemble(arm64), probe: assemble(arm64Probe) };
  return undefined;
}

/** Takes the byte columns of a listing: the pairs of hexadecimal digits before the first two spaces. */
function assemble(listing: string): Buffer {
  const bytes = listing.split('\n').map((line) => /^ {2}((?:[0-9a-f]{2} )+) /.exec(line)?.[1] ?? '');
  return Buffer.from(bytes.join('').replaceAll(' ', ''), 'hex');
}

import { arch } from 'node:os';
import { AF_VSOCK, CLONE_NEW_MASK, deniedCallNames } from './denied-calls.ts';

const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  ppc64: ['SCMP_ARCH_PPC64LE'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
};

const EPERM = 1;
const ENOSYS = 38;

/** libseccomp's names for this processor's ABIs; undefined for one that we do not know. */
export function allowedSeccompArchitectures(): readonly string[] | undefined {
  return architectures[arch()];
}

/**
 * The rules of {@link seccompFilter} for an OCI runtime. personality(2) is left out: its list of allowed values cannot be
 * said as a refusal there.
 */
export function denyingSeccomp(): Readonly<Record<string, unknown>> {
  const refuse = { action: 'SCMP_ACT_ERRNO', errnoRet: EPERM };
  // clone has the flags second on s390x: clone(2), "C library/kernel differences".
  const flagsIndex = arch() === 's390x' ? 1 : 0;
  const namespaceFlags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: allowedSeccompArchitectures() ?? [],
    syscalls: [
      { names: deniedCallNames, ...refuse },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...namespaceFlags
        .filter((flag) => (flag & CLONE_NEW_MASK) !== 0)
        .map((flag) => ({
          names: ['clone'],
          ...refuse,
          args: [{ index: flagsIndex, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
        })),
      { names: ['socket'], ...refuse, args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_EQ' }] },
    ],
  };
}

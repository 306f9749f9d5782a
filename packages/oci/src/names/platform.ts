import { arch, endianness, platform } from 'node:os';
import { BoxwrightError, closestMatch, escapeForTerminal } from '@boxwright/errors';

/**
 * OCI image-spec image-index.md "platform". In documents as it was written there; {@link normalizePlatform} gives
 * containerd's normal form (`arm64` without variant, `arm` with `v7`), which all functions here answer in.
 */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

// The names Go's toolchain knows (GOOS and GOARCH), which the OCI specification refers to.
const knownOs = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
);

const osPattern = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;
const partPattern = /^[A-Za-z0-9_.-]+$/;

/**
 * Reads `os/arch[/variant]`, `os` or `arch` as containerd does (the missing part is the host's), and normalises it.
 * The operating system may carry its version and features: `windows(10.0.17763+win32k)/amd64`.
 *
 * @throws BoxwrightError `PLATFORM_INVALID`
 */
export function parsePlatform(text: string): Platform {
  const parts = text.length > 256 ? [] : text.split('/');
  const [first = '', second, third] = parts;
  const system = osPattern.exec(first);
  if (system === null || parts.length > 3 || parts.slice(1).some((part) => !partPattern.test(part))) {
    throw invalid(text, 'it is not of the form os/arch[/variant]', 'Write for example linux/amd64 or linux/arm/v7.');
  }
  const osVersion = decodeOption(text, system[2] ?? '');
  const osFeatures = (system[3] ?? '')
    .split('+')
    .slice(1)
    .map((feature) => decodeOption(text, feature));
  const options = {
    ...(osVersion === '' ? {} : { osVersion }),
    ...(osFeatures.length === 0 ? {} : { osFeatures }),
  };
  const os = normalizeOs(system[1] ?? '');
  if (second !== undefined) {
    return normalizePlatform({
      os,
      architecture: second,
      ...(third === undefined ? {} : { variant: third }),
      ...options,
    });
  }
  const host = hostPlatform();
  if (knownOs.has(os)) return { ...host, os, ...options };
  const alone = normalizePlatform({ os: host.os, architecture: first });
  if (knownArchitectures.has(alone.architecture)) return alone;
  const suggestion = closestMatch(first, [...knownOs, ...knownArchitectures]);
  throw invalid(
    text,
    'it is neither an operating system nor an architecture',
    suggestion === undefined ? 'Write for example linux/amd64.' : `Did you mean ${suggestion}?`,
  );
}

function decodeOption(text: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    throw invalid(text, 'a percent sign is not followed by two hexadecimal digits of UTF-8', undefined, error);
  }
}

function invalid(text: string, why: string, hint?: string, cause?: unknown): BoxwrightError {
  const shown = escapeForTerminal(text.length > 100 ? `${text.slice(0, 100)}...` : text);
  return new BoxwrightError('PLATFORM_INVALID', `invalid platform "${shown}": ${why}`, {
    hint,
    cause,
    details: { platform: text },
  });
}

/**
 * `os/arch[/variant]`: containerd's short form, as `--platform` takes it and `TARGETPLATFORM` holds it. Version and
 * features of the operating system are left out.
 */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  if (os === '') return 'unknown';
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

/** containerd's normal form: other names of an architecture, and variants that say no more than the architecture. */
export function normalizePlatform(given: Platform): Platform {
  const [architecture, variant] = normalizeArchitecture(
    given.architecture.toLowerCase(),
    (given.variant ?? '').toLowerCase(),
  );
  const features = [...new Set(given.osFeatures ?? [])].sort();
  return {
    os: normalizeOs(given.os),
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(given.osVersion === undefined || given.osVersion === '' ? {} : { osVersion: given.osVersion }),
    ...(features.length === 0 ? {} : { osFeatures: features }),
  };
}

function normalizeOs(os: string): string {
  const lowered = os.toLowerCase();
  return lowered === 'macos' ? 'darwin' : lowered;
}

function normalizeArchitecture(architecture: string, variant: string): [architecture: string, variant: string] {
  switch (architecture) {
    case 'i386':
      return ['386', ''];
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'aarch64':
    case 'arm64':
      return ['arm64', variant === '8' || variant === 'v8' ? '' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      if (variant === '') return ['arm', 'v7'];
      return ['arm', /^[5678]$/.test(variant) ? `v${variant}` : variant];
    default:
      return [architecture, variant];
  }
}

/**
 * The platform that images are made for here by default: this processor, and `linux` on every system but Windows
 * (also on macOS, where containers run in a Linux machine).
 */
export function hostPlatform(): Platform {
  const os = platform() === 'win32' ? 'windows' : 'linux';
  return normalizePlatform({ os, ...hostProcessor() });
}

function hostProcessor(): { architecture: string; variant?: string } {
  const name: string = arch();
  switch (name) {
    case 'x64':
      return { architecture: 'amd64' };
    case 'ia32':
      return { architecture: '386' };
    case 'arm': {
      // Node says which instruction set it was built for, which is what runs here for certain.
      const version: unknown = Reflect.get(process.config.variables, 'arm_version');
      return { architecture: 'arm', variant: typeof version === 'string' ? `v${version}` : 'v7' };
    }
    case 'mipsel':
      return { architecture: 'mipsle' };
    case 'ppc64':
      return { architecture: endianness() === 'LE' ? 'ppc64le' : 'ppc64' };
    default:
      return { architecture: name };
  }
}

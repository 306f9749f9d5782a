import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

/** An OCI runtime of this machine. */
export interface Runtime {
  /** `crun`, `runc`, `youki`, or the file's name. */
  readonly name: string;
  readonly path: string;
  /** As it names it; undefined when it does not answer. */
  readonly version: string | undefined;
  readonly seccomp: boolean;
  /** A known hole of this version that an image could use; distributions may have closed it in the same version. */
  readonly advisory: string | undefined;
}

/** In order of preference: crun starts several times faster than runc. */
export const runtimeNames: readonly string[] = ['crun', 'runc', 'youki'];

const known = new Map<string, Runtime>();

/** Asks a runtime for its version, once per process and path. */
export function describeRuntime(path: string): Runtime {
  let runtime = known.get(path);
  if (runtime === undefined) {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5000, env: {}, maxBuffer: 65536 });
    runtime = parseVersion(path, stdout ?? '');
    known.set(path, runtime);
  }
  return runtime;
}

/** Understands what `--version` prints: `runc version 1.1.5+ds1`, `crun version 1.8.1`, `youki 0.5.3`, and what it was built with. */
export function parseVersion(path: string, text: string): Runtime {
  const match = /^(\w+) (?:version )?v?(\d+\.\d+[\w.+~-]*)/.exec(text);
  const name = match?.[1] ?? basename(path);
  const version = match?.[2];
  const seccomp = name === 'crun' ? text.includes('+SECCOMP') : name === 'runc' ? text.includes('libseccomp') : false;
  return { name, path, version, seccomp, advisory: name === 'runc' ? runcAdvisory(version) : undefined };
}

/**
 * What is wrong with a version of runc: escapes through a working directory (CVE-2024-21626, fixed in 1.1.12), through
 * links in /proc and /dev (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881, fixed in 1.2.8 and 1.3.3), CVE-2026-41579
 * (fixed in 1.3.6 and 1.4.3).
 */
function runcAdvisory(version: string | undefined): string | undefined {
  const [major = 0, minor = 0, patch = 0] = (version ?? '').split(/[.+~-]/, 3).map(Number);
  const before = (otherMinor: number, otherPatch: number): boolean =>
    major < 1 || (major === 1 && (minor < otherMinor || (minor === otherMinor && patch < otherPatch)));
  if (before(1, 12)) return 'CVE-2024-21626, CVE-2025-31133 and CVE-2025-52881 are fixed in runc 1.3.6';
  if (before(2, 8) || (minor === 3 && before(3, 3))) return 'CVE-2025-31133 and CVE-2025-52881 are fixed in runc 1.3.6';
  if (before(3, 6) || (minor === 4 && before(4, 3))) return 'CVE-2026-41579 is fixed in runc 1.3.6 and 1.4.3';
  return undefined;
}

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { hostFacts, inUserNamespace } from './host-facts.ts';
import { probeProgram } from './init/program.ts';
import { initArchitecture } from './init/server.ts';
import { describeRuntime } from './oci/runtimes.ts';
import { sandboxClient } from './thread/client.ts';
import { installedRuntimes, type Tier } from './tiers.ts';
import { isPrivileged, startInUserNamespace, userNamespaceMap } from './user-namespace.ts';

/** One way to run commands, tried out. */
export interface TierReport {
  /** `native`, `crun`, `runc`, ... */
  readonly name: string;
  readonly path: string | undefined;
  readonly version: string | undefined;
  readonly works: boolean;
  /** Code of the error when it does not work, and its message. */
  readonly failure: string | undefined;
  readonly reason: string | undefined;
  readonly seccomp: boolean;
  /** A known hole in this version. */
  readonly advisory: string | undefined;
  /** How long running a program that does nothing took. */
  readonly milliseconds: number | undefined;
}

/** What RUN finds on this machine. */
export interface SandboxReport {
  /** True when RUN works, as root or in the user namespace that is made for it. */
  readonly works: boolean;
  /** `root` of the host; of a user namespace, made already or by {@link ensureUserNamespace}; or neither. */
  readonly privilege: 'root' | 'user namespace' | 'none';
  readonly userNamespace: { readonly map: 'ranges' | 'single'; readonly reason: string | undefined } | undefined;
  readonly overlay: { readonly works: boolean; readonly reason: string | undefined };
  /** In the order in which they would be used. */
  readonly tiers: readonly TierReport[];
  /** Version of the cgroups at /sys/fs/cgroup; 0 when there are none. */
  readonly cgroups: 0 | 1 | 2;
  /** What is missing, and what to do about it. */
  readonly problems: readonly { readonly message: string; readonly hint: string | undefined }[];
}

/**
 * Tries out what RUN needs, for `boxwright doctor`: runs a program in every tier, on an overlay in `directory` (where the store
 * is, or will be). Never throws. Without privileges it does so in a user namespace.
 */
export async function detectSandbox(directory: string = tmpdir()): Promise<SandboxReport> {
  try {
    requirePlatform();
    const place = existingParent(directory);
    return isPrivileged() ? await tryHere(place) : await tryInUserNamespace(place);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { message } = error;
    const hint = isBoxwrightError(error) ? error.hint : undefined;
    return {
      works: false,
      privilege: 'none',
      userNamespace: undefined,
      overlay: { works: false, reason: 'not tried' },
      tiers: [],
      cgroups: 0,
      problems: [{ message, hint }],
    };
  }
}

/** A store that has never been used is not there yet. */
function existingParent(directory: string): string {
  let existing = resolve(directory);
  while (!existsSync(existing)) existing = dirname(existing);
  return existing;
}

/**
 * The quick check before a build with RUN.
 *
 * @throws BoxwrightError `SANDBOX_UNAVAILABLE` naming what is missing
 */
export function requireSandbox(): void {
  requirePlatform();
  if (isPrivileged()) return;
  throw new BoxwrightError('SANDBOX_UNAVAILABLE', 'RUN needs root, or a user namespace with root', {
    hint: 'Run as root, or let boxwright enter a user namespace; `boxwright doctor` tells what works here. A Dockerfile without RUN needs neither.',
  });
}

function requirePlatform(): void {
  const processor = initArchitecture() !== undefined;
  if (platform() === 'linux' && processor) return;
  const where = processor ? platform() : `${platform()} on ${arch()}`;
  throw new BoxwrightError('SANDBOX_UNAVAILABLE', `RUN needs Linux on x86-64 or arm64; this is ${where}`, {
    hint: 'Build there, or in a Linux container or virtual machine. A Dockerfile without RUN can be built everywhere.',
  });
}

async function tryHere(directory: string): Promise<SandboxReport> {
  const entered = inUserNamespace();
  const tiers: TierReport[] = [];
  let overlayReason: string | undefined;
  for (const tier of ['native', ...installedRuntimes()]) {
    const report = await tryTier(tier, directory);
    tiers.push(report);
    if (report.failure === 'SANDBOX_OVERLAY_FAILED') overlayReason ??= report.reason;
  }
  const works = tiers.some((tier) => tier.works);
  return {
    works,
    privilege: entered ? 'user namespace' : 'root',
    userNamespace: undefined,
    overlay: { works: overlayReason === undefined, reason: overlayReason },
    tiers,
    cgroups: hostFacts().cgroups.version,
    problems: works
      ? []
      : tiers.map(({ name, reason }) => ({ message: `${name}: ${reason ?? 'does not work'}`, hint: undefined })),
  };
}

async function tryTier(tier: Tier, directory: string): Promise<TierReport> {
  const runtime = tier === 'native' ? undefined : describeRuntime(tier);
  const report = {
    name: runtime?.name ?? tier,
    path: runtime?.path,
    version: runtime?.version,
    seccomp: runtime?.seccomp ?? true,
    advisory: runtime?.advisory,
  };
  const base = mkdtempSync(join(directory, '.boxwright-probe-'));
  try {
    const milliseconds = await probe(base, tier);
    return { ...report, works: true, failure: undefined, reason: undefined, milliseconds };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ...report,
      works: false,
      failure: isBoxwrightError(error) ? error.code : 'UNKNOWN',
      reason,
      milliseconds: undefined,
    };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

async function probe(base: string, tier: Tier): Promise<number> {
  const [upperDir, workDir] = [join(base, 'upper'), join(base, 'work')];
  mkdirSync(upperDir);
  mkdirSync(workDir);
  writeFileSync(join(upperDir, 'probe'), probeProgram(arch()) ?? '', { mode: 0o755 });
  const spec = {
    lowerDirs: [],
    upperDir,
    workDir,
    args: ['/probe'],
    env: [],
    cwd: '/',
    mounts: [],
    network: 'default' as const,
  };
  const start = performance.now();
  const { exitCode } = await sandboxClient().run({ ...spec, user: { uid: 0, gid: 0, additionalGids: [] } }, tier);
  if (exitCode !== 0)
    throw new BoxwrightError('SANDBOX_FAILED', `a program that does nothing ended with exit code ${exitCode}`);
  return performance.now() - start;
}

/** Runs detect-main.ts, which prints the report, as root of a user namespace. */
async function tryInUserNamespace(directory: string): Promise<SandboxReport> {
  const name = import.meta.url.endsWith('.ts') ? './detect-main.ts' : './detect-main.js';
  const script = new URL(name, import.meta.url).pathname;
  const child = await startInUserNamespace(process.execPath, [...process.execArgv, script, directory], 'pipe');
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', resolve);
  });
  const map = userNamespaceMap();
  if (code !== 0)
    throw new BoxwrightError('SANDBOX_UNAVAILABLE', 'a user namespace cannot be entered', { hint: map.reason });
  // Our own program wrote it.
  const report = JSON.parse(Buffer.concat(chunks).toString()) as SandboxReport;
  const single = {
    message: `commands can only run as root: ${map.reason ?? ''}`,
    hint: 'USER and package managers that change users need it.',
  };
  return {
    ...report,
    userNamespace: { map: map.kind, reason: map.reason },
    problems: map.kind === 'single' ? [...report.problems, single] : report.problems,
  };
}

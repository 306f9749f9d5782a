import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../support/environment.ts';
import { describeFailure, run } from '../support/run.ts';

/** A directory with a newer Debian and the real parts in it. */
export interface Chroot {
  readonly root: string;
  /** Suite and content: what results of the engine in it depend on. */
  readonly id: string;
}

/** What the chroot holds: the engine with BuildKit, and independent tools that read and write images. */
const PACKAGES = [
  'ca-certificates',
  'docker-buildx',
  'docker-cli',
  'docker.io',
  'iptables',
  'procps',
  'runc',
  'skopeo',
  'umoci',
  'xz-utils', // the engine runs xz for ADD
];

/** Newest first: BuildKit of the stable release is a year older, its image formats are the same. */
const SUITES = ['sid', 'forky', 'trixie'];

/** Kept chroots are named by what they hold, so that a change here makes a new one. */
const CONTENT = createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 8);

/** The chroot kept in the cache directory; made with mmdebstrap when it is not there yet (about a minute). Needs root. */
export async function openChroot(): Promise<Chroot> {
  const failures: string[] = [];
  const cache = cacheDirectory();
  mkdirSync(cache, { recursive: true });
  for (const suite of SUITES) {
    const root = join(cache, `chroot-${suite}-${CONTENT}`);
    if (existsSync(join(root, 'made-by-boxwright-e2e'))) return { root, id: `${suite}-${CONTENT}` };
  }
  for (const suite of SUITES) {
    const root = join(cache, `chroot-${suite}-${CONTENT}`);
    const failure = await makeChroot(suite, root);
    if (failure === undefined) return { root, id: `${suite}-${CONTENT}` };
    failures.push(failure);
  }
  throw new Error(`no chroot with a Docker Engine could be made:\n${failures.join('\n')}`);
}

/** Returns why it failed, or undefined. */
async function makeChroot(suite: string, root: string): Promise<string | undefined> {
  const unfinished = `${root}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const mirror = debianMirror();
  const result = await run(
    'mmdebstrap',
    [
      '--variant=apt',
      `--include=${PACKAGES.join(',')}`,
      '--aptopt=APT::Install-Recommends "false"',
      '--aptopt=Acquire::Check-Valid-Until "false"',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      suite,
      unfinished,
      `deb ${mirror} ${suite} main`,
    ],
    { timeoutMs: 900_000 },
  ).catch((error: Error) => error);
  if (result instanceof Error) return `${suite}: ${result.message} (apt-get install mmdebstrap)`;
  if (result.code !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    return `${suite}: ${describeFailure(result).slice(-2000)}`;
  }
  writeFileSync(join(unfinished, 'made-by-boxwright-e2e'), `${suite}\n`);
  rmSync(root, { recursive: true, force: true });
  renameSync(unfinished, root);
  return undefined;
}

/** The Debian mirror that this machine's own apt uses: never one that we name. */
export function debianMirror(): string {
  for (const text of aptSourceTexts()) {
    for (const line of text.split('\n')) {
      const deb822 = /^URIs:\s*(\S+)/.exec(line);
      const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/.exec(line);
      const uri = deb822?.[1] ?? oneLine?.[1];
      if (uri !== undefined && /\/debian\/?$/.test(uri)) return uri;
    }
  }
  throw new Error('no Debian mirror in /etc/apt: the chroot for the Docker Engine cannot be made');
}

function aptSourceTexts(): string[] {
  const directory = '/etc/apt/sources.list.d';
  const names = existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  return ['/etc/apt/sources.list', ...names]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));
}

/** The words that run a program where the process `pid` lives: its mounts, its root. */
export function besideCommand(pid: number): string[] {
  return ['nsenter', `--target=${pid}`, '--mount', '--root', '--wd'];
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from '../components/chroot.ts';
import { cacheDirectory, strict } from '../support/environment.ts';
import { runOk } from '../support/run.ts';

/** What the stand-ins for images of languages are made of. */
const PACKAGES = [
  'base-files',
  'ca-certificates',
  'coreutils',
  'dash',
  'libc-bin',
  'libstdc++6', // of Node.js
  'login',
  'passwd', // useradd
  'python3-pip',
];

/** One release, so that its versions are known: {@link DEBIAN_PYTHON}. */
const SUITE = 'bookworm';

/** Version of Python in it. */
export const DEBIAN_PYTHON = '3.11';

const CONTENT = createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 8);

/**
 * A directory that holds nothing but `root.tar`: the packages as they come, none of them configured (that would take most of
 * the time). Kept in the cache directory. A string says why there is none; in strict runs that is a failure.
 */
export async function openDebianRoot(): Promise<{ readonly directory: string } | string> {
  const directory = join(cacheDirectory(), `root-${SUITE}-${CONTENT}`);
  const unfinished = `${directory}.unfinished`;
  if (existsSync(directory)) return { directory };
  try {
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    const options = [
      '--variant=extract',
      `--include=${PACKAGES.join(',')}`,
      '--aptopt=APT::Install-Recommends "false"',
      '--aptopt=Acquire::Check-Valid-Until "false"',
      ...['man', 'doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    ];
    const source = `deb ${debianMirror()} ${SUITE} main`;
    await runOk('mmdebstrap', [...options, SUITE, join(unfinished, 'root.tar'), source], { timeoutMs: 600_000 });
    renameSync(unfinished, directory);
    return { directory };
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (strict) throw error;
    return `no Debian root could be made (apt-get install mmdebstrap): ${String(error).slice(0, 500)}`;
  }
}

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { start, throwIfStopped } from './children.mjs';
import { DemoError } from './demo-error.mjs';

/** A shell, the usual small programs, and the libraries that Node is linked with; apt adds what these depend on. */
const packages = ['base-files', 'base-passwd', 'coreutils', 'dash', 'debianutils', 'grep', 'libstdc++6', 'sed'];

/** What an image does not need. */
const excluded = ['./usr/share/doc/*', './usr/share/man/*', './usr/share/locale/*', './usr/share/info/*'];

/** Name and release of this machine's distribution, such as `debian-bookworm`. */
export function distribution() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const value = (name) => new RegExp(`^${name}="?([a-z0-9.-]+)"?$`, 'm').exec(text)?.[1];
  return `${value('ID') ?? 'linux'}-${value('VERSION_CODENAME') ?? 'unknown'}`;
}

/**
 * Makes the tar of a root file system from packages of this machine's own apt sources; needs neither root nor an
 * installed package. It stays in `cache`, so that this happens once.
 *
 * @param {string} cache
 * @param {(text: string) => void} say
 * @returns {Promise<string>} path of the tar
 */
export async function debianRootfs(cache, say) {
  const tar = join(cache, `${distribution()}-${arch()}.tar`);
  if (existsSync(tar)) return tar;
  for (const program of ['apt-get', 'dpkg-deb', 'tar']) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined) {
      throw new DemoError(
        `The demo makes its base image from Debian packages, and there is no ${program} here.`,
        'Run it on Debian or Ubuntu, or give it a base image: npm run demo -- --base FILE, with FILE made by `docker save node:24-slim`.',
      );
    }
  }
  const work = mkdtempSync(join(cache, 'packages-'));
  try {
    say('fetching packages with apt');
    const archives = await download(work);
    say(`unpacking ${archives.length} packages`);
    const root = join(work, 'root');
    await unpack(archives, root, work);
    const unfinished = join(work, 'rootfs.tar');
    await command('tar', [
      '--create',
      `--file=${unfinished}`,
      `--directory=${root}`,
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '.',
    ]);
    renameSync(unfinished, tar);
    return tar;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt with lists, cache and status of its own: it reads the machine's sources and touches nothing else of it. */
async function download(work) {
  const archives = join(work, 'cache/archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(work, 'state/lists/partial'), { recursive: true });
  // Nothing is installed, so everything that the packages depend on is fetched.
  writeFileSync(join(work, 'status'), '');
  const options = [
    ['Dir::State', join(work, 'state')],
    ['Dir::State::status', join(work, 'status')],
    ['Dir::Cache', join(work, 'cache')],
    ['Dir::Log', join(work, 'log')],
    ['Acquire::Languages', 'none'],
    // apt would fetch as the user _apt, who may not enter our directories.
    ['APT::Sandbox::User', 'root'],
    ['APT::Update::Post-Invoke-Success', ''],
    ['Debug::NoLocking', 'true'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const hint = 'Look at /etc/apt/sources.list and the network: `apt-get update` should work.';
  await command('apt-get', [...options, '-q', 'update'], hint);
  await command(
    'apt-get',
    [...options, '-q', '--yes', '--no-install-recommends', '--download-only', 'install', ...packages],
    hint,
  );
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .sort()
    .map((name) => join(archives, name));
}

async function unpack(archives, root, work) {
  // The packages differ in whether they know of the merge of / and /usr; the root has it.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
  const files = join(work, 'files.tar');
  const exclude = excluded.map((pattern) => `--exclude=${pattern}`);
  for (const archive of archives) {
    const descriptor = openSync(files, 'w');
    await command('dpkg-deb', ['--fsys-tarfile', archive], undefined, descriptor);
    closeSync(descriptor);
    await command('tar', [
      '--extract',
      `--file=${files}`,
      `--directory=${root}`,
      '--keep-directory-symlink',
      '--preserve-permissions',
      '--no-same-owner',
      ...exclude,
    ]);
  }
  const shell = join(root, 'usr/bin/sh');
  if (!existsSync(shell)) symlinkSync('dash', shell);
}

/** Runs a program quietly; what it said is shown when it fails. */
async function command(program, args, hint, stdout = 'pipe') {
  const { child, ended } = start(program, args, {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-4000);
    });
  }
  const code = await ended;
  throwIfStopped();
  if (code === 0) return;
  const lines = said.trim().split('\n').slice(-15).join('\n');
  throw new DemoError(`${program} failed with exit code ${code}:\n${lines}`, hint);
}

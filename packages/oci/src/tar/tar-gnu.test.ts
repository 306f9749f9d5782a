import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toByteString, toFsPath } from '../bytes.ts';
import { readScannedContent, scanTar, type TarEntry } from './index.ts';
import { type Member, readTar, writeTar } from './testing/tar-fixtures.ts';

const isGnuTar = /GNU tar/.test(spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '');

describe.skipIf(!isGnuTar)('against GNU tar (skipped where tar is another program)', () => {
  let root = '';
  let source = '';

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'boxwright-gnu-'));
    source = join(root, 'source');
    mkdirSync(source);
    makeTree(source);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each([
    ['gnu', '--format=gnu'],
    ['oldgnu', '--format=oldgnu'],
    ['pax', '--format=pax'],
    ['gnu sparse', '--format=gnu', '-S'],
    ['pax sparse 0.0', '--format=pax', '-S', '--sparse-version=0.0'],
    ['pax sparse 0.1', '--format=pax', '-S', '--sparse-version=0.1'],
    ['pax sparse 1.0', '--format=pax', '-S', '--sparse-version=1.0'],
  ])('reads what it writes: %s', (name, ...flags) => {
    const file = join(root, `${name.replaceAll(' ', '-')}.tar`);
    execFileSync('tar', ['-C', source, '-cf', file, '--sort=name', ...flags, '.']);
    const members = readTar(readFileSync(file), 10_007);
    expect(members.length).toBeGreaterThan(10);
    for (const member of members) compareWithDisk(member, source, flags.includes('--format=pax'));
    const scanned = scanFile(file);
    expect(scanned.map(({ entry }) => entry)).toEqual(members.map(({ entry }) => entry));
    expect(scanned.filter(({ isSparse }) => isSparse)).toHaveLength(flags.includes('-S') ? 3 : 0);
    expect(scanned.every(({ content }, index) => members[index]?.content.equals(content))).toBe(true);
  });

  it('reads its ids of any size', () => {
    for (const format of ['gnu', 'pax']) {
      const file = join(root, 'ids.tar');
      const ids = ['--owner=someone:3000000', '--group=4294967294'];
      execFileSync('tar', ['-C', source, '-cf', file, `--format=${format}`, ...ids, 'plain']);
      expect(readTar(readFileSync(file))[0]?.entry).toMatchObject({
        uid: 3_000_000,
        gid: 4_294_967_294,
        uname: 'someone',
      });
    }
  });

  it('extracts what we write', () => {
    const times = [1_600_000_000_000_000_000n, -5_500_000_000n, 1_600_000_000_123_456_789n];
    const directories = ['a', 'd'.repeat(120)];
    const members: Member[] = directories.map((path) => plain(path, { type: 'directory', mode: 0o755 }));
    times.forEach((mtimeNs, index) => {
      const content = Buffer.alloc(index * 700, index);
      members.push(plain(`a/file${index}`, { mtimeNs, size: content.length }, content));
    });
    members.push(plain(`${'d'.repeat(120)}/中文`, { size: 1 }, Buffer.from('x')));
    members.push(plain(Buffer.from('a/caf\u00e9', 'latin1'), {}));
    members.push(plain('a/link', { type: 'symlink', mode: 0o777, linkName: toByteString('t'.repeat(150)) }));
    members.push(plain('a/hard', { type: 'hardlink', linkName: toByteString('a/file1'), mtimeNs: times[1] ?? 0n }));
    members.push(plain('a/fifo', { type: 'fifo' }));
    const target = join(root, 'target');
    mkdirSync(target);
    const { status, stderr } = spawnSync(
      'tar',
      ['-C', target, '-xpf', '-', '--no-same-owner', '--warning=no-timestamp'],
      {
        input: writeTar(members),
      },
    );
    expect([status, stderr.toString()]).toEqual([0, '']);
    for (const member of members) {
      // Its content made a directory younger; the clock is not what is tested.
      if (member.entry.type !== 'directory') compareWithDisk(member, target, true);
    }
    expect(lstatSync(join(target, 'a/hard')).ino).toBe(lstatSync(join(target, 'a/file1')).ino);
  });

  it('lists devices, ids and modes of ours as they are', () => {
    const archive = writeTar([
      plain('c', { type: 'char', devMajor: 1, devMinor: 300, mode: 0o620 }),
      plain('s', { mode: 0o4755, uid: 3_000_000, gid: 100 }),
    ]);
    const listing = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: archive, encoding: 'utf8' });
    expect(listing).toMatch(/^crw--w---- 0\/0 +1,300 .* c$/m);
    expect(listing).toMatch(/^-rwsr-xr-x 3000000\/100 +0 .* s$/m);
  });
});

function plain(path: string | Uint8Array, fields: Partial<TarEntry>, content: Buffer = Buffer.alloc(0)): Member {
  const entry: TarEntry = {
    path: toByteString(path),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeNs: 1_700_000_000_000_000_000n,
    ...fields,
  };
  return { entry, content };
}

function makeTree(root: string): void {
  const at = (path: string | Uint8Array) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)]);
  writeFileSync(at('plain'), 'content');
  writeFileSync(at('empty'), '');
  linkSync(at('plain'), at('second name'));
  symlinkSync('plain', at('symlink'));
  symlinkSync('t'.repeat(300), at('long target'));
  mkdirSync(at('sub'));
  const deep = `sub/${'long directory name '.repeat(6)}/${'x'.repeat(120)}`;
  mkdirSync(at(deep), { recursive: true });
  writeFileSync(at(`${deep}/${'中'.repeat(50)}`), 'deep');
  writeFileSync(at(Buffer.from('caf\u00e9', 'latin1')), 'latin1');
  writeFileSync(at('old'), '');
  utimesSync(at('old'), -315_619_199.5, -315_619_199.5);
  lutimesSync(at('symlink'), 1.25, 1.25);
  execFileSync('mkfifo', [join(root, 'fifo')]);
  makeSparse(at('sparse few'), 3);
  makeSparse(at('sparse many'), 60);
  closeSync(truncated(openSync(at('only a hole'), 'w'), 300_000));
}

/** Runs of data with holes between them, a hole at the end. */
function makeSparse(path: Buffer, runs: number): void {
  const fd = openSync(path, 'w');
  for (let run = 0; run < runs; run++)
    writeSync(fd, Buffer.alloc(5000, 65 + (run % 26)), 0, 5000, 40_000 + run * 16_384);
  closeSync(truncated(fd, 40_000 + runs * 16_384 + 70_001));
}

function truncated(fd: number, size: number): number {
  ftruncateSync(fd, size);
  return fd;
}

function compareWithDisk({ entry, content }: Member, root: string, hasFractions: boolean): void {
  const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(toFsPath(entry.path))]);
  const stat = lstatSync(path, { bigint: true });
  const expected = hasFractions ? stat.mtimeNs : stat.mtimeNs - (((stat.mtimeNs % 10n ** 9n) + 10n ** 9n) % 10n ** 9n);
  expect(entry.mtimeNs).toBe(expected);
  if (entry.type !== 'symlink') expect(entry.mode).toBe(Number(stat.mode & 0o7777n));
  if (entry.type === 'file') expect(content.equals(readFileSync(path))).toBe(true);
  if (entry.type === 'file') expect(entry.size).toBe(content.length);
  if (entry.type === 'symlink') expect(entry.linkName).toBe(toByteString(readlinkSync(path, 'buffer')));
  const isType = {
    directory: stat.isDirectory(),
    symlink: stat.isSymbolicLink(),
    fifo: stat.isFIFO(),
    file: stat.isFile(),
  };
  if (entry.type === 'hardlink') expect(stat.nlink).toBe(2n);
  else expect(isType).toHaveProperty(entry.type, true);
}

function scanFile(file: string): (Member & { isSparse: boolean })[] {
  const fd = openSync(file, 'r');
  try {
    return [...scanTar(fd)].map((scanned) => {
      const chunks: Buffer[] = [];
      readScannedContent(fd, scanned, (chunk) => chunks.push(Buffer.from(chunk)));
      return { entry: scanned.entry, content: Buffer.concat(chunks), isSparse: scanned.sparse !== undefined };
    });
  } finally {
    closeSync(fd);
  }
}

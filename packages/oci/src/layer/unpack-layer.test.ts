import { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getXattr } from '@boxwright/sys';
import { describe, expect, it } from 'vitest';
import type { TarEntry } from '../tar/entry.ts';
import { endMark, paxHeader, rawEntry } from '../tar/testing/raw-tar.ts';
import { contentFor, makeBox, tarOf } from './testing/box.ts';
import { directory, fifo, file, hardlink, symlink } from './testing/entries.ts';
import { isRoot, owner, paths, TIME, unpack } from './testing/unpacking.ts';
import { unpackLayer } from './unpack-layer.ts';

describe('unpackLayer', () => {
  it('unpacks every kind of entry, with times in nanoseconds', () => {
    using box = makeBox();
    const at = { ...owner, mtimeNs: TIME };
    const result = unpack(box, [
      directory('.', { ...at, mode: 0o750 }),
      directory('d', { ...at, mode: 0o700 }),
      file('d/f', { ...at, size: 3000, mode: 0o640, mtimeNs: -1_500_000_000n }),
      symlink('d/l', '../else where', at),
      hardlink('d/h', 'd/f', at),
      fifo('d/p', { ...at, mode: 0o622 }),
      file('empty', at),
    ]);
    expect(result).toMatchObject({
      entries: 7,
      bytes: 3000,
      skippedDevices: 0,
      opaqueRoot: false,
      impliedDirectories: [],
    });
    const stat = (name: string): { mtimeNs: bigint; mode: bigint; ino: bigint } =>
      lstatSync(join(box.target, name), { bigint: true });
    for (const name of ['.', 'd', 'd/l', 'd/p', 'empty']) expect(stat(name).mtimeNs).toBe(TIME);
    expect(stat('d/f').mtimeNs).toBe(-1_500_000_000n);
    expect([stat('.'), stat('d'), stat('d/f'), stat('d/p')].map(({ mode }) => Number(mode & 0o7777n))).toEqual([
      0o750, 0o700, 0o640, 0o622,
    ]);
    expect(stat('d/h').ino).toBe(stat('d/f').ino);
    expect(readlinkSync(join(box.target, 'd/l'))).toBe('../else where');
    expect(readFileSync(join(box.target, 'd/f'))).toEqual(contentFor(file('d/f', { size: 3000 })));
  });

  it('keeps names that are no UTF-8', () => {
    using box = makeBox();
    const odd = Buffer.from([0x66, 0xff, 0xfe]).toString('latin1') as TarEntry['path'];
    unpack(box, [
      { ...file('x', owner), path: odd },
      { ...symlink('l', 'x', owner), linkName: odd },
    ]);
    expect(readdirSync(box.target, 'latin1').sort()).toEqual([odd, 'l'].sort());
    expect(readlinkSync(join(box.target, 'l'), 'latin1')).toBe(odd);
  });

  it('gives a file its mode whatever the umask, and never more than that meanwhile', () => {
    using box = makeBox();
    unpack(box, [
      file('a', { ...owner, mode: 0o666 }),
      file('b', { ...owner, mode: 0o777 }),
      file('c', { ...owner, mode: 0 }),
    ]);
    expect(['a', 'b', 'c'].map((name) => lstatSync(join(box.target, name)).mode & 0o7777)).toEqual([0o666, 0o777, 0]);
  });

  it('leaves holes in sparse files', () => {
    using box = makeBox();
    const size = 64 * 1024 * 1024;
    const map = `1\n${size - 512}\n512\n`;
    const stored = Buffer.concat([Buffer.from(map.padEnd(512, '\0')), Buffer.alloc(512, 'z')]);
    const archive = Buffer.concat([
      paxHeader('x', [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'hole'],
        ['GNU.sparse.realsize', String(size)],
      ]),
      rawEntry({ name: 'GNUSparseFile.0/hole', size: stored.length }, stored),
      endMark(),
    ]);
    expect(unpack(box, archive).bytes).toBe(size);
    const stats = lstatSync(join(box.target, 'hole'));
    expect(stats.size).toBe(size);
    expect(stats.blocks * 512).toBeLessThan(1024 * 1024);
    expect(readFileSync(join(box.target, 'hole')).subarray(-513).toString()).toBe(`\0${'z'.repeat(512)}`);
  });

  it('lets the last of several entries of one path win, also across types', () => {
    using box = makeBox();
    unpack(box, [
      file('a', { ...owner, size: 1 }),
      file('a', { ...owner, size: 2 }),
      directory('b', owner),
      file('b/x', owner),
      file('b', owner),
      file('c', owner),
      directory('c', owner),
      file('c/y', owner),
      symlink('e', 'a', owner),
      directory('e', owner),
    ]);
    expect(paths(box.target)).toEqual(['a', 'b', 'c', 'c/y', 'e']);
    expect(lstatSync(join(box.target, 'a')).size).toBe(2);
    expect(lstatSync(join(box.target, 'e')).isDirectory()).toBe(true);
  });

  it('keeps what a hard link shares when its first name is replaced', () => {
    using box = makeBox();
    unpack(box, [
      file('a', { ...owner, size: 1 }),
      hardlink('b', 'a'),
      file('a', { ...owner, size: 2 }),
      hardlink('b', 'b'),
    ]);
    expect(['a', 'b'].map((name) => lstatSync(join(box.target, name)).size)).toEqual([2, 1]);
  });

  it('says which directories are implied, and takes their attributes from below when told', () => {
    using box = makeBox();
    const lower = { type: 'directory', mode: 0o1777, ...owner, mtimeNs: TIME } as const;
    const asked: string[] = [];
    const result = unpack(
      box,
      [directory('a', owner), file('a/b/x', owner), file('t/x', owner), file('l/x', owner), file('.wh.a', owner)],
      {
        whiteouts: 'overlay',
        overlayXattr: isRoot ? 'trusted' : 'user',
        impliedDirectory: (path) => {
          asked.push(path);
          return path === 't' ? lower : path === 'l' ? symlink('l', 't') : undefined;
        },
      },
    );
    expect(result.impliedDirectories).toEqual(['', 'a/b', 't', 'l']);
    // Nothing of the lower a can be seen, so its b is not asked for.
    expect(asked).toEqual(['', 't', 'l']);
    expect(lstatSync(join(box.target, 't'), { bigint: true })).toMatchObject({ mtimeNs: TIME, mode: 0o41777n });
    // What is a link below lends no mode.
    for (const path of ['a/b', 'l']) expect(lstatSync(join(box.target, path)).mode & 0o7777).toBe(0o755);
  });

  it.skipIf(!isRoot)('keeps owners, and setuid after the owner is set (as root: chown needs it)', () => {
    using box = makeBox();
    unpack(box, [
      directory('d', { uid: 1, gid: 2, mode: 0o2775 }),
      file('d/s', { uid: 3, gid: 4, mode: 0o6755, size: 9 }),
      file('d/plain', { uid: 0, gid: 0 }),
      directory('d/sub'),
      symlink('d/l', 'x', { uid: 5, gid: 6 }),
      hardlink('d/h', 'd/s', { uid: 77, gid: 77, mode: 0 }),
    ]);
    const stat = (name: string): unknown => {
      const { uid, gid, mode } = lstatSync(join(box.target, name));
      return [uid, gid, (mode & 0o7777).toString(8)];
    };
    expect(stat('d')).toEqual([1, 2, '2775']);
    expect(stat('d/s')).toEqual([3, 4, '6755']);
    // In a setgid directory these would have group 2, and the directory setgid too.
    expect(stat('d/plain')).toEqual([0, 0, '644']);
    expect(stat('d/sub')).toEqual([0, 0, '755']);
    expect(stat('d/l')).toEqual([5, 6, '777']);
    expect(stat('d/h')).toEqual([3, 4, '6755']);
  });

  it('drops setuid and setgid with owners ignored', () => {
    using box = makeBox();
    unpack(box, [file('s', { uid: 3, gid: 4, mode: 0o6755 }), directory('d', { mode: 0o2755 })], { owners: 'ignore' });
    expect(lstatSync(join(box.target, 's')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(box.target, 's')).uid).toBe(owner.uid);
    expect(lstatSync(join(box.target, 'd')).mode & 0o7777).toBe(0o2755);
  });

  it('sets user attributes', () => {
    using box = makeBox();
    const xattrs = new Map([['user.mime', Buffer.from([0, 255, 1])]]);
    unpack(box, [file('f', { ...owner, xattrs }), directory('d', { ...owner, xattrs })]);
    for (const name of ['f', 'd'])
      expect(getXattr(join(box.target, name), 'user.mime')).toEqual(Buffer.from([0, 255, 1]));
  });

  it('reads from a descriptor to its end, in any portions', () => {
    using box = makeBox();
    const archive = tarOf([file('a', { ...owner, size: 5000 }), file('b', { ...owner, size: 7 })]);
    const portions = Array.from({ length: Math.ceil(archive.length / 700) }, (_, at) =>
      archive.subarray(at * 700, at * 700 + 700),
    );
    expect(unpackLayer(portions, box.target, { whiteouts: 'apply', owners: 'ignore' }).bytes).toBe(5007);
    expect(readFileSync(join(box.target, 'a'))).toEqual(contentFor(file('a', { size: 5000 })));
  });

  it('leaves no descriptor open, whether it works or not', () => {
    using box = makeBox();
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    unpack(box, [file('a/b/c/d', owner), symlink('l', 'a/b', owner), file('l/y', owner), hardlink('h', 'l/y', owner)]);
    expect(open()).toBe(before);
    for (const bad of [
      [hardlink('x', 'l/nothing')],
      [file('n/o/p', owner), file('../x')],
      [file('q', { ...owner, size: 600 })],
    ]) {
      const archive = bad[0]?.path === 'q' ? tarOf(bad).subarray(0, 700) : tarOf(bad);
      expect(() => unpack(box, archive)).toThrow();
      expect(open()).toBe(before);
    }
  });

  it('refuses a diff directory that is not empty, and a target that is no directory', () => {
    using box = makeBox();
    writeFileSync(join(box.target, 'x'), '');
    expect(() => unpack(box, [], { whiteouts: 'overlay' })).toThrow(
      expect.objectContaining({ code: 'LAYER_TARGET_NOT_EMPTY' }),
    );
    expect(() => unpackLayer([], join(box.target, 'x'), { whiteouts: 'apply' })).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    );
  });
});

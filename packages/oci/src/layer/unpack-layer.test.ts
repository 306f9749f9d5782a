import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { escapeForTerminal } from '@boxwright/errors';
import { getXattr, listXattrs } from '@boxwright/sys';
import { describe, expect, it } from 'vitest';
import type { TarEntry } from '../tar/entry.ts';
import { endMark, paxHeader, rawEntry, rawHeader } from '../tar/testing/raw-tar.ts';
import { type Box, contentFor, describeTree, makeBox, tarOf } from './testing/box.ts';
import { bytes, charDevice, directory, fifo, file, hardlink, symlink } from './testing/entries.ts';
import { unpackLayer } from './unpack-layer.ts';
import type { UnpackOptions, UnpackResult } from './unpack-options.ts';

const isRoot = process.geteuid?.() === 0;
const TIME = 1_234_567_890_123_456_789n;
/** Neither root nor its ids are needed for what most tests are about. */
const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const MODES = ['overlay', 'apply'] as const;

function unpack(
  box: Box,
  entries: readonly TarEntry[] | Uint8Array,
  options: Partial<UnpackOptions> = {},
): UnpackResult {
  const archive = entries instanceof Uint8Array ? entries : tarOf(entries);
  return unpackLayer([archive], box.target, {
    whiteouts: 'apply',
    owners: isRoot ? 'keep' : 'ignore',
    ...options,
  });
}

function paths(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
}

/** Unpacks something hostile: whatever comes of it, nothing outside may change. Answers the code of the error. */
function attack(
  box: Box,
  entries: readonly TarEntry[] | Uint8Array,
  options: Partial<UnpackOptions> = {},
): string | undefined {
  const before = describeTree(box.outside);
  let code: string | undefined;
  try {
    unpack(box, entries, options);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    code = String(error.code);
    expect(escapeForTerminal(error.message)).toBe(error.message);
  }
  expect(describeTree(box.outside)).toEqual(before);
  expect(readdirSync(box.dir).sort()).toEqual(['outside', 'target']);
  return code;
}

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

describe('whiteouts, apply', () => {
  it('remove what lower layers have, and keep what the layer itself has, in either order', () => {
    for (const whiteoutsFirst of [true, false]) {
      using box = makeBox();
      unpack(
        box,
        ['d/old', 'd/e/old', 'gone', 'again', 'kept'].map((path) => file(path, owner)),
      );
      const anew = [file('d/new', owner), file('again', { ...owner, size: 4 })];
      const whiteouts = [file('.wh.d'), file('.wh.gone'), file('.wh.again'), file('.wh.never')];
      unpack(box, whiteoutsFirst ? [...whiteouts, ...anew] : [...anew, ...whiteouts]);
      expect(paths(box.target)).toEqual(['again', 'd', 'd/new', 'kept']);
      expect(lstatSync(join(box.target, 'again')).size).toBe(4);
    }
  });

  it('empty an opaque directory of what is lower, in either order', () => {
    for (const opaqueFirst of [true, false]) {
      using box = makeBox();
      unpack(
        box,
        ['d/old', 'd/e/old', 'x'].map((path) => file(path, owner)),
      );
      const anew = [file('d/e/new', owner)];
      unpack(box, opaqueFirst ? [file('d/.wh..wh..opq'), ...anew] : [...anew, file('d/.wh..wh..opq')]);
      expect(paths(box.target)).toEqual(['d', 'd/e', 'd/e/new', 'x']);
    }
  });

  it('leave the time of directories that are only passed through alone', () => {
    using box = makeBox();
    unpack(box, [
      directory('.', { ...owner, mtimeNs: TIME }),
      directory('d', { ...owner, mtimeNs: TIME }),
      file('d/x', owner),
    ]);
    unpack(box, [file('d/.wh.x'), file('d/y', owner)]);
    expect(lstatSync(join(box.target, 'd'), { bigint: true }).mtimeNs).toBe(TIME);
    expect(lstatSync(box.target, { bigint: true }).mtimeNs).toBe(TIME);
  });

  it('put a directory where a lower layer has a link or a file', () => {
    using box = makeBox();
    unpack(box, [symlink('l', 'd', owner), file('f', owner), directory('d', owner)]);
    unpack(box, [file('l/x', owner), file('f/y', owner)]);
    expect(paths(box.target)).toEqual(['d', 'f', 'f/y', 'l', 'l/x']);
  });
});

describe.skipIf(!isRoot)('whiteouts, overlay (as root: mknod and trusted attributes need it)', () => {
  const isWhiteout = (path: string): boolean => {
    const stats = lstatSync(path);
    return stats.isCharacterDevice() && stats.rdev === 0;
  };

  it('become devices and opaque directories', () => {
    using box = makeBox();
    const result = unpack(box, [file('d/.wh.x'), file('o/.wh..wh..opq'), file('.wh..wh.plnk/1.2')], {
      whiteouts: 'overlay',
    });
    expect(paths(box.target)).toEqual(['d', 'd/x', 'o']);
    expect(isWhiteout(join(box.target, 'd/x'))).toBe(true);
    expect(getXattr(join(box.target, 'o'), 'trusted.overlay.opaque')?.toString()).toBe('y');
    expect(getXattr(join(box.target, 'd'), 'trusted.overlay.opaque')).toBeUndefined();
    expect(result).toMatchObject({ entries: 2, opaqueRoot: false });
  });

  it('use the name space of the user when asked to', () => {
    using box = makeBox();
    unpack(box, [file('o/.wh..wh..opq')], { whiteouts: 'overlay', overlayXattr: 'user' });
    expect(getXattr(join(box.target, 'o'), 'user.overlay.opaque')?.toString()).toBe('y');
  });

  it('make a directory opaque that the layer hides and has anew, in either order', () => {
    for (const anew of [directory('d'), file('d/x')]) {
      for (const entries of [
        [file('.wh.d'), anew],
        [anew, file('.wh.d')],
      ]) {
        using box = makeBox();
        unpack(box, entries, { whiteouts: 'overlay' });
        expect(getXattr(join(box.target, 'd'), 'trusted.overlay.opaque')?.toString()).toBe('y');
      }
    }
  });

  it('give way to a file of the layer, in either order', () => {
    for (const entries of [
      [file('.wh.f'), file('f')],
      [file('f'), file('.wh.f')],
    ]) {
      using box = makeBox();
      unpack(box, entries, { whiteouts: 'overlay' });
      expect(lstatSync(join(box.target, 'f')).isFile()).toBe(true);
    }
  });

  it('are left out where an opaque directory hides everything anyway: overlayfs would list them', () => {
    for (const hiding of [file('o/.wh..wh..opq'), file('.wh.o')]) {
      using box = makeBox();
      unpack(box, [file('o/p/.wh.x'), file('o/p/.wh.f'), file('o/p/f'), hiding, file('o/.wh.y')], {
        whiteouts: 'overlay',
      });
      expect(paths(box.target)).toEqual(['o', 'o/p', 'o/p/f']);
    }
  });

  it('are no targets for hard links', () => {
    using box = makeBox();
    expect(attack(box, [file('.wh.f'), hardlink('h', 'f')], { whiteouts: 'overlay' })).toBe('LAYER_LINK_INVALID');
  });
});

describe('threats of unpacking', () => {
  const long = (path: string): Buffer => Buffer.from(`${path}\0`, 'latin1');

  describe.each(MODES)('%s', (whiteouts) => {
    const options: Partial<UnpackOptions> = { whiteouts, overlayXattr: isRoot ? 'trusted' : 'user' };

    it.each([
      ['climbs', tarOf([file('../outside/canary', owner)])],
      ['climbs from inside', tarOf([file('a/../../outside/canary', owner)])],
      ['climbs through a directory', tarOf([directory('../outside/made', owner)])],
      [
        'climbs by PAX path',
        Buffer.concat([
          paxHeader('x', [['path', '../outside/canary']]),
          rawEntry({ name: 'a' }, Buffer.alloc(0)),
          endMark(),
        ]),
      ],
      [
        'climbs by GNU long name',
        Buffer.concat([
          rawEntry({ name: '././@LongLink', type: 'L', size: 19, magic: 'gnu' }, long('../outside/canary2')),
          rawHeader({ name: 'a', magic: 'gnu' }),
          endMark(),
        ]),
      ],
      [
        'climbs by ustar prefix',
        Buffer.concat([rawHeader({ name: 'outside/canary', fields: { 345: '..' } }), endMark()]),
      ],
    ])('U1: a name that %s is refused', (_, archive) => {
      using box = makeBox();
      expect(attack(box, archive, options)).toBe('LAYER_PATH_INVALID');
    });

    it('U1: absolute names and odd slashes stay inside', () => {
      using box = makeBox();
      const archive = Buffer.concat([
        paxHeader('g', [['path', '../outside/canary']]),
        rawHeader({ name: '/abs' }),
        rawHeader({ name: '//two///x' }),
        rawHeader({ name: './././y' }),
        rawHeader({ name: 'a/../z' }),
        endMark(),
      ]);
      expect(attack(box, archive, options)).toBeUndefined();
      expect(paths(box.target)).toEqual(['abs', 'two', 'two/x', 'y', 'z']);
    });

    it.each([
      ['relative', '../outside'],
      ['absolute', undefined],
      ['far too high', '../../../../../../../../../../outside'],
    ])('U2: what goes through a %s link stays inside', (_, target) => {
      using box = makeBox();
      const link = symlink('l', target ?? box.outside, owner);
      expect(
        attack(box, [link, file('l/canary', { ...owner, size: 3 }), directory('l/sub', owner)], options),
      ).toBeUndefined();
      expect(existsSync(join(box.target, target === undefined ? box.outside : 'outside', 'canary'))).toBe(true);
    });

    it('U2: a chain of links, and making directories through one, stay inside', () => {
      using box = makeBox();
      const entries = [
        symlink('a', '..', owner),
        symlink('b', 'a/..', owner),
        symlink('c', 'b/outside', owner),
        file('c/canary', owner),
        file('c/x/y/z', owner),
      ];
      expect(attack(box, entries, options)).toBeUndefined();
      expect(paths(join(box.target, 'outside'))).toEqual(['canary', 'x', 'x/y', 'x/y/z']);
    });

    it('U2: a link in the last place is replaced, not written through', () => {
      using box = makeBox();
      const entries = [
        symlink('f', box.canary, owner),
        file('f', { ...owner, size: 4 }),
        symlink('p', box.canary, owner),
        fifo('p', owner),
        symlink('h', box.canary, owner),
        hardlink('h', 'f'),
      ];
      expect(attack(box, entries, options)).toBeUndefined();
      expect(lstatSync(join(box.target, 'f')).isFile()).toBe(true);
    });

    it('U2: links that lead back to themselves are refused', () => {
      using box = makeBox();
      expect(attack(box, [symlink('a', 'b', owner), symlink('b', 'a', owner), file('a/x', owner)], options)).toBe(
        'LAYER_LINK_INVALID',
      );
    });

    it.each([
      ['by climbing', '../outside/canary', 'LAYER_PATH_INVALID'],
      ['absolute', undefined, 'LAYER_LINK_INVALID'],
      ['of a directory', 'd', 'LAYER_LINK_INVALID'],
      ['of the root', 'd/..', 'LAYER_LINK_INVALID'],
      ['to what comes later', 'later', 'LAYER_LINK_INVALID'],
      ['of its own directory', 'd/x', 'LAYER_LINK_INVALID'],
    ])('U3: a hard link %s is refused', (_, target, code) => {
      using box = makeBox();
      const name = target === 'd/x' ? 'd' : 'h';
      const entries = [file('d/x', owner), hardlink(name, target ?? box.canary), file('later', owner)];
      expect(attack(box, entries, options)).toBe(code);
    });

    it('U3: a hard link through a link, or to a link, does not lead out', () => {
      using box = makeBox();
      expect(attack(box, [symlink('l', box.outside, owner), hardlink('h', 'l/canary')], options)).toBe(
        'LAYER_LINK_INVALID',
      );
      using other = makeBox();
      const entries = [symlink('l', other.canary, owner), hardlink('h', 'l'), file('h', { ...owner, size: 5 })];
      expect(attack(other, entries, options)).toBeUndefined();
      expect(readlinkSync(join(other.target, 'l'))).toBe(other.canary);
      expect(lstatSync(join(other.target, 'h')).size).toBe(5);
    });

    it('U4: mode, owner, times and attributes of a link are its own', () => {
      using box = makeBox();
      const xattrs = new Map([['user.x', Buffer.from('y')]]);
      const hostile = { uid: isRoot ? 4242 : 0, gid: isRoot ? 4242 : 0, mode: 0o4777, mtimeNs: TIME, xattrs };
      const entries = [
        symlink('l', box.canary, hostile),
        symlink('d', box.outside, hostile),
        directory('d', hostile),
        hardlink('h', 'l', hostile),
      ];
      expect(attack(box, entries, options)).toBeUndefined();
      expect(lstatSync(join(box.target, 'l'), { bigint: true }).mtimeNs).toBe(TIME);
    });

    it.each(['.wh.', '.wh..', '.wh...', 'd/.wh...', '.wh.x/y'])('U5: the whiteout %s is refused', (path) => {
      using box = makeBox();
      expect(attack(box, [file('keep', owner), file(path)], options)).toBe('LAYER_WHITEOUT_INVALID');
      expect(paths(box.target)).toContain('keep');
    });

    it.skipIf(whiteouts === 'overlay' && !isRoot)('U5: a whiteout through a link does not reach outside', () => {
      using box = makeBox();
      const entries = [symlink('l', box.outside, owner), file('l/.wh.canary'), file('l/sub/.wh..wh..opq')];
      expect(attack(box, entries, options)).toBeUndefined();
      expect(existsSync(box.canary)).toBe(true);
    });

    it('U6: attributes that steer overlayfs are dropped', () => {
      using box = makeBox();
      const names = [
        'trusted.overlay.opaque',
        'user.overlay.opaque',
        'trusted.overlay.redirect',
        'user.overlay.whiteout',
        'security.selinux',
        'system.posix_acl_access',
        'trusted.x',
      ];
      const xattrs = new Map(names.map((name) => [name, Buffer.from('y')]));
      expect(
        unpack(box, [directory('d', { ...owner, xattrs }), file('f', { ...owner, xattrs })], options).skippedXattrs,
      ).toBe(14);
      for (const name of ['d', 'f'])
        expect(listXattrs(join(box.target, name)).filter((found) => names.includes(found))).toEqual([]);
    });

    it('U6: device nodes are left out or refused', () => {
      using box = makeBox();
      const devices = [
        charDevice('null', 1, 3),
        { ...charDevice('sda', 8, 0), type: 'block' as const },
        hardlink('n2', 'null'),
      ];
      expect(unpack(box, devices, options)).toMatchObject({ skippedDevices: 3 });
      expect(paths(box.target)).toEqual([]);
      expect(attack(box, [charDevice('null', 1, 3)], { ...options, devices: 'refuse' })).toBe('LAYER_DEVICE_REFUSED');
    });

    it.skipIf(!isRoot)('U6: device nodes are made when asked for, but not a whiteout (as root: mknod needs it)', () => {
      using box = makeBox();
      const entries = [charDevice('null', 1, 3, { mode: 0o666, mtimeNs: TIME }), charDevice('zero', 0, 0)];
      expect(attack(box, entries, { ...options, devices: 'create' })).toBe(
        whiteouts === 'overlay' ? 'LAYER_DEVICE_REFUSED' : undefined,
      );
      expect(lstatSync(join(box.target, 'null'), { bigint: true })).toMatchObject({
        mode: 0o20666n,
        rdev: 0x103n,
        mtimeNs: TIME,
      });
    });

    it('U8: limits hold', () => {
      for (const [entries, limits] of [
        [Array.from({ length: 11 }, (_, at) => file(`f${at}`, owner)), { entries: 10 }],
        [[file('a/b/c/d/e/f', owner)], { entries: 5 }],
        [[file('a', { ...owner, size: 600 }), file('b', { ...owner, size: 600 })], { bytes: 1000 }],
        [[file('a/b/c/d/e', owner)], { depth: 3 }],
        [[file(`${'d/'.repeat(1025)}x`, owner)], {}],
      ] as const) {
        using box = makeBox();
        expect(attack(box, entries, { ...options, limits })).toBe('LAYER_LIMIT');
      }
    });

    it('U8: a sparse bomb counts at its expanded size', () => {
      using box = makeBox();
      const archive = Buffer.concat([
        paxHeader('x', [
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.name', 'bomb'],
          ['GNU.sparse.realsize', String(1024 ** 3)],
        ]),
        rawEntry({ name: 'x', size: 512 }, Buffer.from('0\n'.padEnd(512, '\0'))),
        endMark(),
      ]);
      expect(attack(box, archive, { ...options, limits: { bytes: 1024 ** 2 } })).toBe('LAYER_LIMIT');
    });

    it('U8: links that make a path longer and longer are refused', () => {
      using box = makeBox();
      const deep = `${'d'.repeat(250)}/`.repeat(15);
      const entries = [directory(deep, owner), symlink('l', deep, owner), directory(`l/${deep}`, owner)];
      expect(attack(box, entries, options)).toBe('LAYER_PATH_INVALID');
    });

    it('U9: a cut or damaged archive is an error', () => {
      using box = makeBox();
      const archive = tarOf([file('a', { ...owner, size: 2000 }), file('b', owner)]);
      expect(attack(box, archive.subarray(0, 1000), options)).toBe('TAR_INVALID');
      using other = makeBox();
      const damaged = Buffer.from(archive);
      damaged[3] = 0x41;
      expect(attack(other, damaged, options)).toBe('TAR_INVALID');
    });

    it('U10: names are escaped in messages', () => {
      using box = makeBox();
      expect(attack(box, [file('../\u001b]52;c;aGk=\u0007\n', owner)], options)).toBe('LAYER_PATH_INVALID');
      expect(attack(box, [hardlink('h\u009b', '\u001b[2J')], { ...options, whiteouts: 'apply' })).toBe(
        'LAYER_LINK_INVALID',
      );
    });
  });

  it('U2: the next layer does not go through links of the one before', () => {
    using box = makeBox();
    unpack(box, [symlink('l', box.outside, owner), symlink('f', box.canary, owner), symlink('d', box.outside, owner)]);
    expect(
      attack(box, [file('l/canary', owner), file('f', owner), directory('d', { ...owner, mode: 0o700 })]),
    ).toBeUndefined();
    expect(paths(box.target)).toEqual(['d', 'f', 'l', 'l/canary']);
  });

  it('U3: a hard link does not take what an earlier layer or the target itself had', () => {
    using box = makeBox();
    unpack(box, [file('old', owner), symlink('l', box.outside, owner)]);
    expect(attack(box, [hardlink('h', 'old')])).toBe('LAYER_LINK_INVALID');
    expect(attack(box, [hardlink('h', 'l/canary')])).toBe('LAYER_LINK_INVALID');
  });

  it('U5: removing never follows a link', () => {
    using box = makeBox();
    mkdirSync(join(box.target, 'd/deep'), { recursive: true });
    symlinkSync(box.outside, join(box.target, 'd/deep/l'));
    symlinkSync(box.outside, join(box.target, 'l'));
    symlinkSync(box.outside, join(box.target, 'o'));
    mkdirSync(join(box.target, 'q'));
    symlinkSync(box.outside, join(box.target, 'q/l'));
    const entries = [
      file('.wh.d'),
      file('.wh.l'),
      file('o/.wh..wh..opq'),
      file('o/sub/.wh.file'),
      file('q/.wh..wh..opq'),
    ];
    expect(attack(box, entries)).toBeUndefined();
    expect(paths(box.target)).toEqual(['o', 'o/sub', 'q']);
  });

  it('U5: an opaque root empties the target only', () => {
    using box = makeBox();
    unpack(box, [file('a/b', owner), symlink('l', box.outside, owner)]);
    const result = unpack(box, [file('new', owner), file('.wh..wh..opq')]);
    expect(result.opaqueRoot).toBe(true);
    expect(paths(box.target)).toEqual(['new']);
  });

  it('U7: a PAX size does not smuggle entries in', () => {
    using box = makeBox();
    const hidden = rawHeader({ name: 'smuggled' });
    const archive = Buffer.concat([
      paxHeader('x', [['size', '512']]),
      rawEntry({ name: 'a', size: 0 }, hidden),
      endMark(),
    ]);
    expect(attack(box, archive)).toBeUndefined();
    expect(paths(box.target)).toEqual(['a']);
    expect(lstatSync(join(box.target, 'a')).size).toBe(512);
  });

  it('says what the file system refuses, of the path in the layer', () => {
    using box = makeBox();
    // One byte more than a symlink may hold.
    const entries = [{ ...symlink('l', 'x', owner), linkName: bytes('x'.repeat(4096)) }];
    expect(() => unpack(box, entries)).toThrow(
      expect.objectContaining({ code: 'LAYER_UNPACK', details: { path: '/l', errno: 'ENAMETOOLONG' } }),
    );
  });
});

import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { listXattrs } from '@boxwright/sys';
import { describe, expect, it } from 'vitest';
import { endMark, paxHeader, rawEntry, rawHeader } from '../tar/testing/raw-tar.ts';
import { makeBox, tarOf } from './testing/box.ts';
import { bytes, charDevice, directory, fifo, file, hardlink, symlink } from './testing/entries.ts';
import { attack, isRoot, MODES, owner, paths, TIME, unpack } from './testing/unpacking.ts';
import type { UnpackOptions } from './unpack-options.ts';

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

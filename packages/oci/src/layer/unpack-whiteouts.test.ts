import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { getXattr } from '@boxwright/sys';
import { describe, expect, it } from 'vitest';
import { makeBox } from './testing/box.ts';
import { directory, file, hardlink, symlink } from './testing/entries.ts';
import { attack, isRoot, owner, paths, TIME, unpack } from './testing/unpacking.ts';

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

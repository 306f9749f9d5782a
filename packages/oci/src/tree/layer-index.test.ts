import { describe, expect, it } from 'vitest';
import { bytes, directory, fifo, file, hardlink, scanned, symlink } from '../layer/testing/entries.ts';
import type { TarEntry } from '../tar/entry.ts';
import { LayerIndex } from './layer-index.ts';

const index = (...entries: TarEntry[]): LayerIndex => new LayerIndex('layer.tar', scanned(entries));

function pathsOf(layer: LayerIndex): string[] {
  return [...layer.entries()].map((node) => node.path);
}

describe('LayerIndex', () => {
  it('gives entries sorted, a directory before its content, and implied parents', () => {
    const layer = index(file('b'), file('a/z/1'), file('a.b'), directory('a'), file('a/y'));
    expect(pathsOf(layer)).toEqual(['a', 'a/y', 'a/z', 'a/z/1', 'a.b', 'b']);
    expect(layer.get(bytes('a'))?.entry?.type).toBe('directory');
    expect(layer.get(bytes('a/z'))?.entry).toBeUndefined();
    expect(layer.children(bytes('a')).map((node) => node.path)).toEqual(['a/y', 'a/z']);
    expect(layer.children(bytes('b'))).toEqual([]);
    expect(layer.size).toBe(7);
  });

  it('lets the last of several entries of one path win', () => {
    const layer = index(file('a', { size: 1 }), file('./a', { size: 2, mode: 0o600 }));
    expect(layer.get(bytes('a'))).toMatchObject({ entry: { size: 2, mode: 0o600 }, dataOffset: 1024 });
    expect(pathsOf(layer)).toEqual(['a']);
  });

  it('merges a directory with a directory and drops the content of one that is replaced', () => {
    const kept = index(directory('d'), file('d/x'), directory('d', { mode: 0o700 }));
    expect(pathsOf(kept)).toEqual(['d', 'd/x']);
    expect(kept.get(bytes('d'))?.entry?.mode).toBe(0o700);
    const replaced = index(directory('d'), file('d/e/x'), file('d/.wh.y'), file('d'), directory('d'), file('d/z'));
    expect(pathsOf(replaced)).toEqual(['d', 'd/z']);
    expect(replaced.get(bytes('d'))?.whiteouts).toBeUndefined();
    expect(replaced.get(bytes('d/e/x'))).toBeUndefined();
  });

  it('resolves hard links to what they share', () => {
    const layer = index(file('a', { size: 9, uid: 5 }), hardlink('b', 'a', { mode: 0 }), hardlink('c', '/b'));
    for (const name of ['b', 'c']) {
      expect(layer.get(bytes(name))).toMatchObject({
        entry: { type: 'file', size: 9, uid: 5, mode: 0o644 },
        dataOffset: 512,
        hardlinkOf: 'a',
      });
    }
    expect(layer.get(bytes('a'))?.hardlinkOf).toBeUndefined();
  });

  it('keeps the content of a hard link whose target is replaced afterwards, or is itself', () => {
    const layer = index(file('a', { size: 1 }), hardlink('b', 'a'), file('a', { size: 2 }), hardlink('a', 'a'));
    expect(layer.get(bytes('b'))).toMatchObject({ entry: { size: 1 }, dataOffset: 512 });
    expect(layer.get(bytes('a'))).toMatchObject({ entry: { size: 2 }, dataOffset: 1536 });
  });

  it('takes a hard link to a symlink for that symlink', () => {
    const layer = index(symlink('l', '/etc'), hardlink('m', 'l'));
    expect(layer.get(bytes('m'))?.entry).toMatchObject({ type: 'symlink', linkName: '/etc' });
  });

  it('leads entries through symlinks of the same layer, inside the root', () => {
    const layer = index(
      directory('usr/lib'),
      symlink('lib', '../../usr/lib'),
      file('lib/x'),
      symlink('far', '/opt/new'),
      file('far/y'),
      file('lib/.wh.old'),
      hardlink('z', 'lib/x'),
    );
    expect(pathsOf(layer)).toEqual(['far', 'lib', 'opt', 'opt/new', 'opt/new/y', 'usr', 'usr/lib', 'usr/lib/x', 'z']);
    expect(layer.get(bytes('usr/lib'))?.whiteouts).toEqual(new Set(['old']));
    expect(layer.get(bytes('z'))?.hardlinkOf).toBe('usr/lib/x');
  });

  it('notices that a link on the way was replaced', () => {
    const layer = index(directory('d'), symlink('d/up', '..'), file('d/up/d'), file('d2'));
    expect(pathsOf(layer)).toEqual(['d', 'd2']);
    expect(() => index(directory('d'), symlink('d/up', '..'), file('d/up/d'), file('d/up/e'))).toThrow(
      expect.objectContaining({ code: 'LAYER_NOT_A_DIRECTORY' }),
    );
  });

  it('keeps whiteouts and opaque marks with their directory', () => {
    const layer = index(file('a/.wh.x'), file('a/.wh..wh..opq'), file('.wh..wh.plnk/1.2'), file('.wh.y'));
    expect(pathsOf(layer)).toEqual(['a']);
    expect(layer.get(bytes('a'))).toMatchObject({ opaque: true, whiteouts: new Set(['x']), entry: undefined });
    expect(layer.get(bytes(''))).toMatchObject({ opaque: false, whiteouts: new Set(['y']) });
  });

  it.each([
    ['a missing target', [hardlink('b', 'a')], 'LAYER_LINK_INVALID'],
    ['a target behind it', [hardlink('b', 'a'), file('a')], 'LAYER_LINK_INVALID'],
    ['a hidden target', [file('.wh.a'), hardlink('b', 'a')], 'LAYER_LINK_INVALID'],
    ['a directory as target', [directory('a'), hardlink('b', 'a')], 'LAYER_LINK_INVALID'],
    ['an implied directory as target', [file('a/x'), hardlink('b', 'a')], 'LAYER_LINK_INVALID'],
    ['a target outside', [hardlink('b', '../../etc/passwd')], 'LAYER_PATH_INVALID'],
    ['the root as target', [hardlink('b', '')], 'LAYER_LINK_INVALID'],
    ['content below a file', [file('a'), file('a/b')], 'LAYER_NOT_A_DIRECTORY'],
    ['content below a FIFO', [fifo('a'), file('a/b/c')], 'LAYER_NOT_A_DIRECTORY'],
    ['a link loop', [symlink('a', 'b'), symlink('b', 'a'), file('a/x')], 'LAYER_LINK_INVALID'],
    ['a root that is a file', [file('/')], 'LAYER_NOT_A_DIRECTORY'],
    ['a climbing name', [file('../x')], 'LAYER_PATH_INVALID'],
    ['an empty whiteout', [file('.wh.')], 'LAYER_WHITEOUT_INVALID'],
  ])('refuses %s', (_, entries, code) => {
    expect(() => index(...entries)).toThrow(expect.objectContaining({ code }));
  });

  it('does not grow beyond what a path may be when links lead ever deeper', () => {
    const deep = 'd/'.repeat(2000);
    expect(() => index(directory(deep), symlink('l', deep), file(`l/${'e/'.repeat(200)}x`))).toThrow(
      expect.objectContaining({ code: 'LAYER_PATH_INVALID' }),
    );
  });
});

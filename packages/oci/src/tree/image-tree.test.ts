import { describe, expect, it } from 'vitest';
import { bytes, directory, file, hardlink, scanned, symlink } from '../layer/testing/entries.ts';
import type { TarEntry } from '../tar/entry.ts';
import { ImageTree } from './image-tree.ts';
import { LayerIndex } from './layer-index.ts';

/** A tree of these layers, base first. */
function tree(...layers: TarEntry[][]): ImageTree {
  return new ImageTree(layers.map((entries, layer) => () => new LayerIndex(`${layer}.tar`, scanned(entries))));
}

function walked(image: ImageTree): string[] {
  return [...image.walk()].map((node) => `${node.path}@${node.layer}`);
}

describe('ImageTree', () => {
  it('merges directories and lets upper files win', () => {
    const image = tree(
      [directory('etc'), file('etc/a', { size: 1 }), file('etc/b')],
      [directory('etc', { mode: 0o700 }), file('etc/a', { size: 2 }), file('etc.d')],
    );
    expect(walked(image)).toEqual(['etc@1', 'etc/a@1', 'etc/b@0', 'etc.d@1']);
    expect(image.lookup(bytes('etc'))?.entry.mode).toBe(0o700);
    expect(image.lookup(bytes('/etc/./a'))).toMatchObject({ path: 'etc/a', name: 'a', layer: 1, entry: { size: 2 } });
    expect(image.lookup(bytes('etc/c'))).toBeUndefined();
    expect(image.lookup(bytes('etc/a/x'))).toBeUndefined();
    expect(image.list(bytes('etc/a'))).toEqual([]);
  });

  it('gives an implied directory the metadata that a lower layer has for it', () => {
    const image = tree([directory('tmp', { mode: 0o1777, uid: 7 })], [file('tmp/x')], [file('opt/y')]);
    expect(image.lookup(bytes('tmp'))).toMatchObject({ layer: 0, entry: { mode: 0o1777, uid: 7 } });
    expect(image.lookup(bytes('opt'))).toMatchObject({ layer: 2, entry: { mode: 0o755, uid: 0, type: 'directory' } });
    expect(walked(image)).toEqual(['opt@2', 'opt/y@2', 'tmp@0', 'tmp/x@1']);
  });

  it('gives an implied directory nothing of what a file or a whiteout between has hidden', () => {
    const lowest = [directory('d', { mode: 0o700, uid: 7 }), directory('e', { mode: 0o700, uid: 7 })];
    const image = tree(lowest, [file('d'), file('.wh.e')], [file('d/x'), file('e/x')]);
    for (const path of ['d', 'e']) expect(image.lookup(bytes(path))?.entry).toMatchObject({ mode: 0o755, uid: 0 });
  });

  it('hides with whiteouts what lower layers have, not what the same layer has', () => {
    const image = tree(
      [file('a'), directory('d'), file('d/x'), file('d/y'), file('e')],
      [file('a'), file('.wh.a'), file('.wh.d'), file('d/z'), file('.wh.e')],
    );
    expect(walked(image)).toEqual(['a@1', 'd@1', 'd/z@1']);
    expect(image.lookup(bytes('d'))?.entry.mtimeNs).toBe(0n);
    expect(image.lookup(bytes('d/x'))).toBeUndefined();
    expect(image.lookup(bytes('e'))).toBeUndefined();
  });

  it('honours opaque directories, whatever their place in the archive', () => {
    for (const entries of [
      [file('d/.wh..wh..opq'), file('d/new')],
      [file('d/new'), file('d/.wh..wh..opq')],
    ]) {
      const image = tree([directory('d', { mode: 0o700 }), file('d/old')], entries);
      expect(walked(image)).toEqual(['d@0', 'd/new@1']);
      expect(image.lookup(bytes('d'))?.entry.mode).toBe(0o700);
    }
    expect(walked(tree([file('a')], [file('b'), file('.wh..wh..opq')]))).toEqual(['b@1']);
  });

  it('replaces by type: file over directory, directory over file and over symlink, and back', () => {
    const base = [directory('d'), file('d/x'), file('f'), symlink('l', 'd')];
    const image = tree(base, [file('d'), directory('f'), file('f/y'), file('l/z')]);
    expect(walked(image)).toEqual(['d@1', 'f@1', 'f/y@1', 'l@1', 'l/z@1']);
    const back = tree(base, [file('d')], [directory('d'), file('d/new')]);
    expect(walked(back)).toEqual(['d@2', 'd/new@2', 'f@0', 'l@0']);
    const opaqueOverLink = tree(base, [file('l/.wh..wh..opq'), file('l/q')]);
    expect(walked(opaqueOverLink)).toEqual(['d@0', 'd/x@0', 'f@0', 'l@1', 'l/q@1']);
  });

  it('knows the content of hard links', () => {
    const image = tree([file('a', { size: 3 }), hardlink('b', 'a')], [file('.wh.a')]);
    const node = image.lookup(bytes('b'));
    expect(node).toMatchObject({ hardlinkOf: 'a', entry: { type: 'file', size: 3 } });
    expect(node && image.contentOf(node)).toEqual({ tarPath: '0.tar', offset: 512, size: 3 });
    const root = image.lookup(bytes(''));
    expect(root && image.contentOf(root)).toBeUndefined();
  });

  it('asks lower layers only when the answer depends on them', () => {
    const asked: number[] = [];
    const layers = [[file('a')], [directory('d'), file('d/x'), file('.wh.gone')]].map((entries, layer) => () => {
      asked.push(layer);
      return new LayerIndex('', scanned(entries));
    });
    const image = new ImageTree(layers);
    expect(image.lookup(bytes('d/x'))?.layer).toBe(1);
    expect(image.lookup(bytes('gone'))).toBeUndefined();
    expect(asked).toEqual([1]);
    expect(image.lookup(bytes('d/a'))).toBeUndefined();
    expect(image.lookup(bytes('a'))?.layer).toBe(0);
    expect(asked).toEqual([1, 0]);
  });

  it('has a root even without layers', () => {
    expect(tree().lookup(bytes(''))).toMatchObject({ layer: -1, entry: { type: 'directory', mode: 0o755 } });
    expect(walked(tree())).toEqual([]);
    expect(tree([directory('.', { mode: 0o700 })], [file('a')]).lookup(bytes(''))).toMatchObject({
      layer: 0,
      entry: { mode: 0o700 },
    });
  });

  it('keeps names that are no UTF-8 and names of Object.prototype', () => {
    const odd = Buffer.from([0x66, 0xff, 0x80]).toString('latin1');
    const entries = [file('x'), file('__proto__'), file('constructor')];
    const raw = { ...file('x'), path: `d/${odd}` as TarEntry['path'] };
    const image = tree([...entries, raw]);
    expect(image.lookup(raw.path)?.name).toBe(odd);
    expect(image.list(bytes('')).map((node) => node.path)).toEqual(['__proto__', 'constructor', 'd', 'x']);
    expect(image.lookup(bytes('toString'))).toBeUndefined();
  });

  it('walks two thousand directories deep', () => {
    const image = tree([file(`${'d/'.repeat(2000)}x`)], [file('y')]);
    expect(image.lookup(bytes(`${'d/'.repeat(2000)}x`))?.layer).toBe(0);
    expect([...image.walk()]).toHaveLength(2002);
  });
});

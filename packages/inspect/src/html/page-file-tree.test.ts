import { ImageTree, LayerIndex, type ScannedEntry, type TarEntry, toByteString } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { pageFileTree } from './page-file-tree.ts';

let offset = 0;

function scanned(path: string, rest: Partial<TarEntry> = {}): ScannedEntry {
  const type = path.endsWith('/') ? 'directory' : 'file';
  offset += 512;
  const entry = { type, mode: 0o644, uid: 0, gid: 0, size: 0, mtimeNs: 1n, ...rest } as const;
  return { entry: { ...entry, path: toByteString(path) }, dataOffset: offset };
}

function treeOf(...layers: readonly (readonly ScannedEntry[])[]): ImageTree {
  return new ImageTree(layers.map((entries) => () => new LayerIndex('', entries)));
}

describe('pageFileTree', () => {
  it('sums up directories, as the last layer leaves them', () => {
    const tree = treeOf(
      [scanned('usr/'), scanned('usr/lib/'), scanned('usr/lib/a', { size: 100 }), scanned('usr/b', { size: 50 })],
      [scanned('usr/.wh.b'), scanned('usr/lib/c', { size: 30 }), scanned('empty/')],
    );
    expect(pageFileTree(tree)).toEqual({
      name: '',
      size: 130,
      children: [
        {
          name: 'usr',
          size: 130,
          children: [
            {
              name: 'lib',
              size: 130,
              children: [
                { name: 'a', size: 100 },
                { name: 'c', size: 30 },
              ],
            },
          ],
        },
      ],
    });
  });

  it('counts hard links once and puts small files together', () => {
    const small = Array.from({ length: 1000 }, (_, index) => scanned(`s${index}`, { size: 1 }));
    const link = scanned('z', { type: 'hardlink', linkName: toByteString('big') });
    expect(pageFileTree(treeOf([scanned('big', { size: 1_000_000 }), link, ...small]))).toEqual({
      name: '',
      size: 1_001_000,
      children: [
        { name: 'big', size: 1_000_000 },
        { name: '', size: 1000, count: 1000 },
      ],
    });
  });

  it('takes an image without files', () => {
    expect(pageFileTree(treeOf())).toEqual({ name: '', size: 0, children: [] });
  });
});

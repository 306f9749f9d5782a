import { describe, expect, it } from 'vitest';
import { type TreemapNode, type TreemapShape, treemapCells } from './treemap-cells.ts';

const shape: TreemapShape = { width: 1000, height: 400, heading: 19, smallest: 250 };

function directory(name: string, ...children: readonly TreemapNode[]): TreemapNode {
  return { name, size: children.reduce((sum, { size }) => sum + size, 0), children };
}

describe('treemapCells', () => {
  it('puts parts into their groups and colours those below what has nearly all', () => {
    const lib = directory('lib', { name: 'a', size: 300 }, { name: 'b', size: 200 });
    const root = directory('', directory('usr', lib, { name: 'c', size: 100 }), { name: 'd', size: 50 });
    const cells = treemapCells(root, shape);
    expect(cells.map(({ path, depth, group, isGroup }) => [path, depth, group, isGroup])).toEqual([
      ['usr', 0, undefined, true],
      ['usr/lib', 1, undefined, true],
      ['usr/lib/a', 2, 0, false],
      ['usr/lib/b', 2, 1, false],
      ['usr/c', 1, 2, false],
      ['d', 0, 3, false],
    ]);
    const usr = cells[0];
    for (const cell of cells.slice(1, 5)) {
      expect(cell.x).toBeGreaterThanOrEqual(usr?.x ?? Number.NaN);
      expect(cell.y).toBeGreaterThanOrEqual((usr?.y ?? Number.NaN) + shape.heading);
    }
  });

  it('shows a directory of one directory as one', () => {
    const root = directory('', directory('usr', directory('local', directory('lib', { name: 'x', size: 1 }))));
    expect(treemapCells(root, shape).map(({ path }) => path)).toEqual(['usr/local/lib', 'usr/local/lib/x']);
  });

  it('puts small parts together, and those that come together already', () => {
    const small = Array.from({ length: 5000 }, (_, index) => ({ name: `f${index}`, size: 1 }));
    const root = directory('', { name: 'big', size: 20_000 }, { name: '', size: 100, count: 70 }, ...small);
    const cells = treemapCells(root, shape);
    expect(cells.map(({ path, others, node }) => [path, others, node.size])).toEqual([
      ['big', 0, 20_000],
      ['', 5070, 5100],
    ]);
  });

  it('bounds the cells of trees of any size and depth', () => {
    let deep: TreemapNode = { name: 'file', size: 1000 };
    for (let depth = 0; depth < 20_000; depth++) {
      deep = { name: 'd', size: deep.size + 1, children: [deep, { name: 'x', size: 1 }] };
    }
    expect(treemapCells(directory('', deep), shape).length).toBeLessThan(100);
    const wide = Array.from({ length: 100_000 }, (_, index) => ({ name: `${index}`, size: 1 + (index % 7) }));
    expect(treemapCells(directory('', ...wide), shape).length).toBeLessThan(2000);
  });

  it('shows nothing where there is nothing', () => {
    expect(treemapCells({ name: '', size: 0 }, shape)).toEqual([]);
    expect(treemapCells(directory('', { name: 'empty', size: 0 }), shape)).toEqual([]);
  });
});

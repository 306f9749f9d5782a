import { type Box, squarify } from './squarify.ts';

/** Something with a size, made of parts perhaps. */
export interface TreemapNode {
  readonly name: string;
  /** Of the whole, at least what the children have. */
  readonly size: number;
  readonly children?: readonly TreemapNode[];
  /** How many small parts it stands for; absent for a part of its own. */
  readonly count?: number;
  /** What a cell says when it is pointed at, in place of its path. */
  readonly title?: string;
  /** Where a cell leads: the `id` of an element of the page. */
  readonly target?: string;
  /** A class of its own for the cell's colour. */
  readonly tone?: string;
}

/** A rectangle of a treemap. */
export interface TreemapCell extends Box {
  readonly node: TreemapNode;
  /** Names from below the root, joined by `/`. */
  readonly path: string;
  readonly depth: number;
  /** Cells of the same group are parts of one whole; undefined for those above groups, and for small ones. */
  readonly group: number | undefined;
  /** Only its heading shows; its parts are cells of their own. */
  readonly isGroup: boolean;
  /** How many small parts it stands for; 0 for a part of its own. */
  readonly others: number;
}

/** How a treemap is laid out; lengths in CSS pixels. */
export interface TreemapShape {
  readonly width: number;
  readonly height: number;
  /** Height of a group's heading. */
  readonly heading: number;
  /** What is smaller than this many square pixels is not shown apart. */
  readonly smallest: number;
}

const maxDepth = 8;
/** Around and between the parts of a group. */
const gap = 2;

/** What has more than this share of all is no group of its own: its parts are. */
const dominating = 0.5;
/** What has less than this share of all has no colour of its own. */
const minor = 0.015;

/**
 * The cells of a treemap, groups before their parts. However many nodes there are, cells are no more than fit: only
 * parts that are large enough to be seen are divided, small ones share a cell.
 */
export function treemapCells(root: TreemapNode, shape: TreemapShape): TreemapCell[] {
  const { width, height } = shape;
  const layout = new Layout(root.size, shape);
  layout.divide(root.children ?? [], { x: 0, y: 0, width, height }, '', 0, undefined);
  return layout.cells;
}

class Layout {
  readonly cells: TreemapCell[] = [];
  readonly #total: number;
  readonly #shape: TreemapShape;
  #groups = 0;

  constructor(total: number, shape: TreemapShape) {
    this.#total = total;
    this.#shape = shape;
  }

  divide(children: readonly TreemapNode[], box: Box, path: string, depth: number, group: number | undefined): void {
    const parts = visibleParts(children, box.width * box.height, this.#shape.smallest);
    const boxes = squarify(
      parts.map((part) => part.size),
      box,
    );
    parts.forEach((part, index) => {
      const place = boxes[index];
      if (place === undefined) return;
      const { node, names } = onlyChildren(part.node);
      const box = inset(place);
      const inner = innerBox(box, this.#shape);
      const isGroup = (node.children?.length ?? 0) > 0 && inner !== undefined && depth < maxDepth;
      const isAbove = isGroup && node.size > dominating * this.#total;
      const isMinor = node.size < minor * this.#total;
      const own = group ?? (isAbove || isMinor ? undefined : this.#groups++);
      this.cells.push({ ...box, node, path: path + names, depth, group: own, isGroup, others: part.others });
      if (isGroup) this.divide(node.children ?? [], inner, `${path}${names}/`, depth + 1, own);
    });
  }
}

interface Part {
  readonly node: TreemapNode;
  readonly size: number;
  readonly others: number;
}

/** Largest first; those too small to be seen together as one at the end. */
function visibleParts(children: readonly TreemapNode[], area: number, smallest: number): Part[] {
  let total = 0;
  for (const { size } of children) total += Math.max(0, size);
  const least = Math.max((total * smallest) / area, Number.MIN_VALUE);
  const shown: Part[] = [];
  let rest = 0;
  let others = 0;
  for (const node of children) {
    if (node.size >= least && node.count === undefined) shown.push({ node, size: node.size, others: 0 });
    else if (node.size > 0) {
      rest += node.size;
      others += node.count ?? 1;
    }
  }
  shown.sort((a, b) => b.size - a.size || (a.node.name < b.node.name ? -1 : 1));
  if (rest > 0) shown.push({ node: { name: '', size: rest }, size: rest, others });
  // The sum of many small ones may be large: it is laid out where it belongs.
  return shown.sort((a, b) => b.size - a.size);
}

/** A directory with nothing but one directory in it is shown as one: `usr/local/lib`. */
function onlyChildren(node: TreemapNode): { readonly node: TreemapNode; readonly names: string } {
  let names = node.name;
  let last = node;
  // The bound is for trees that are deeper than any screen.
  for (let depth = 0; depth < 100; depth++) {
    const [only, second] = last.children ?? [];
    if (only?.children === undefined || second !== undefined || only.size < last.size) break;
    last = only;
    names += `/${only.name}`;
  }
  return { node: last, names };
}

function inset(box: Box): Box {
  const half = gap / 2;
  return {
    x: box.x + half,
    y: box.y + half,
    width: Math.max(0, box.width - gap),
    height: Math.max(0, box.height - gap),
  };
}

/** Where the parts of a group go; undefined when they would be too small to be worth it. */
function innerBox(box: Box, { heading }: TreemapShape): Box | undefined {
  const inner = { x: box.x + gap, y: box.y + heading, width: box.width - 2 * gap, height: box.height - heading - gap };
  return inner.width < 56 || inner.height < 28 ? undefined : inner;
}

import { baseName, fromByteString, type ImageTree, parentPath } from '@boxwright/oci';
import type { PageTreeNode } from './page-extras.ts';

/** Files with less than this share of all bytes are not told apart: no page could show them. */
const smallestShare = 1 / 20_000;

/** A directory while it is filled. */
interface Directory extends PageTreeNode {
  size: number;
  readonly children: PageTreeNode[];
  /** Small files together. */
  rest: number;
  restCount: number;
}

/**
 * The files of an image for a page. Hard links count once, as in a layer's size. Memory is that of directories and large
 * files, however many small ones there are.
 */
export function pageFileTree(tree: ImageTree): PageTreeNode {
  let total = 0;
  for (const { entry, hardlinkOf } of tree.walk()) {
    if (entry.type === 'file' && hardlinkOf === undefined) total += entry.size;
  }
  const root = emptyDirectory('');
  const directories = new Map<string, Directory>([['', root]]);
  const order: (readonly [parent: Directory, directory: Directory])[] = [];
  for (const { path, entry, hardlinkOf } of tree.walk()) {
    const parent = directories.get(parentPath(path)) ?? root;
    const name = (): string => fromByteString(baseName(path));
    if (entry.type === 'directory') {
      const directory = emptyDirectory(name());
      directories.set(path, directory);
      order.push([parent, directory]);
    } else if (entry.type === 'file' && hardlinkOf === undefined) {
      parent.size += entry.size;
      if (entry.size > total * smallestShare) parent.children.push({ name: name(), size: entry.size });
      else {
        parent.rest += entry.size;
        parent.restCount++;
      }
    }
  }
  // A directory comes before what is in it: backwards, each is complete when its turn comes.
  for (const [parent, directory] of order.reverse()) {
    parent.size += directory.size;
    if (directory.size > 0) parent.children.push(completed(directory));
  }
  return completed(root);
}

function emptyDirectory(name: string): Directory {
  return { name, size: 0, children: [], rest: 0, restCount: 0 };
}

function completed({ name, size, children, rest, restCount }: Directory): PageTreeNode {
  if (rest > 0) children.push({ name: '', size: rest, count: restCount });
  return { name, size, children };
}

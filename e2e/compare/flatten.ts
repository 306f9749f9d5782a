import type { LayerEntry } from './summary.ts';

/** What a file system built from layers holds at one path. */
export interface FileNode {
  readonly entry: LayerEntry;
  /** Shared by all names of one inode. */
  readonly inode: object;
}

/** A file system after some layers: path → node. The root is not in it. */
export type FileTree = Map<string, FileNode>;

const WHITEOUT = '.wh.';
/** The entry that hides everything a directory had in the layers below. */
export const OPAQUE = '.wh..wh..opq';

/** True for an entry that removes something (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts). */
export function isWhiteout(entry: LayerEntry): boolean {
  return baseName(entry.path).startsWith(WHITEOUT);
}

/** Last component of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Path of the directory that holds it; the empty string is the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/**
 * Applies one layer to a copy of the tree, and lists what no sound layer has: a path twice, a parent that is missing or
 * no directory, a hard link to nothing, an entry before its directory.
 */
export function applyLayer(lower: FileTree, layer: readonly LayerEntry[]): { tree: FileTree; anomalies: string[] } {
  const tree: FileTree = new Map(lower);
  const anomalies: string[] = [];
  for (const entry of layer) {
    if (!isWhiteout(entry)) continue;
    const name = baseName(entry.path);
    const parent = parentOf(entry.path);
    if (name === OPAQUE) removeBelow(tree, parent);
    else removeTree(tree, join(parent, name.slice(WHITEOUT.length)));
  }
  const seen = new Set<string>();
  for (const entry of layer) {
    if (isWhiteout(entry) || entry.path === '') continue;
    if (seen.has(entry.path)) anomalies.push(`${entry.path}: twice in one layer`);
    seen.add(entry.path);
    const parent = parentOf(entry.path);
    if (parent !== '' && tree.get(parent)?.entry.type !== 'dir') {
      anomalies.push(`${entry.path}: its parent is no directory at this point`);
    }
    if (entry.type !== 'dir' || tree.get(entry.path)?.entry.type !== 'dir') removeTree(tree, entry.path);
    if (entry.type === 'hardlink') {
      const target = tree.get((entry.link ?? '').replace(/^\.?\/+/, ''));
      if (target === undefined) anomalies.push(`${entry.path}: hard link to ${entry.link}, which is not there`);
      else tree.set(entry.path, target);
    } else {
      tree.set(entry.path, { entry, inode: {} });
    }
  }
  return { tree, anomalies };
}

function removeTree(tree: FileTree, path: string): void {
  tree.delete(path);
  removeBelow(tree, path);
}

function removeBelow(tree: FileTree, path: string): void {
  const prefix = path === '' ? '' : `${path}/`;
  for (const key of tree.keys()) if (key.startsWith(prefix)) tree.delete(key);
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/** The names that share an inode with another, as one text per path: `a = b = c`. */
export function hardLinkGroups(tree: FileTree): Map<string, string> {
  const byInode = new Map<object, string[]>();
  for (const [path, node] of tree) {
    const names = byInode.get(node.inode);
    if (names === undefined) byInode.set(node.inode, [path]);
    else names.push(path);
  }
  const groups = new Map<string, string>();
  for (const names of byInode.values()) {
    if (names.length < 2) continue;
    const text = names.toSorted().join(' = ');
    for (const name of names) groups.set(name, text);
  }
  return groups;
}

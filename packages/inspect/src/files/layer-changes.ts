import {
  type ByteString,
  type ImageTree,
  isDirectoryNode,
  joinPath,
  type LayerNode,
  type TarEntry,
  type TreeNode,
} from '@boxwright/oci';
import type { LayerListing } from '../layers/layer-readings.ts';

/** What a changed path differs in from the one that lower layers have. */
export type ChangedAspect = 'type' | 'content' | 'mode' | 'owner' | 'time' | 'link' | 'device' | 'xattrs';

/** What a layer does to one path. */
export type FileChange = AddedOrChanged | RemovedPath;

interface AddedOrChanged {
  readonly kind: 'added' | 'changed';
  readonly path: ByteString;
  readonly node: LayerNode;
  readonly entry: TarEntry;
  /**
   * Only of `changed`. None: the layer holds the same once more. Where contents were not read, files of equal size and
   * time count as equal.
   */
  readonly aspects: readonly ChangedAspect[];
}

interface RemovedPath {
  readonly kind: 'removed';
  readonly path: ByteString;
  /** As the layers below have it. */
  readonly entry: TarEntry;
  /** Regular files that are gone with it, itself included. */
  readonly files: number;
  /** Bytes of those. */
  readonly bytes: number;
}

/**
 * What a layer does to the layers below it, sorted by path. Directories that it only mentions, without changing them,
 * are left out; what is below a removed directory is not listed.
 *
 * @param lower the layers below, base first; the tree made of them
 */
export function layerChanges(listing: LayerListing, lower: readonly LayerListing[], below: ImageTree): FileChange[] {
  const changes: FileChange[] = [];
  const { index, digests } = listing;
  const contentOf = ({ layer, dataOffset }: TreeNode): string | undefined => lower[layer]?.digests.get(dataOffset);
  const root = index.get(rootPath);
  if (root !== undefined) removals(root, changes, listing, below);
  for (const node of index.entries()) {
    const before = below.lookup(node.path);
    if (node.entry !== undefined) {
      const { path, entry } = node;
      if (before === undefined) changes.push({ kind: 'added', path, node, entry, aspects: [] });
      else {
        const contents = [contentOf(before), digests.get(node.dataOffset)] as const;
        const aspects = differences(before, node, entry, contents);
        if (aspects.length > 0 || entry.type !== 'directory') {
          changes.push({ kind: 'changed', path, node, entry, aspects });
        }
      }
    }
    if (isDirectoryNode(node)) removals(node, changes, listing, below);
  }
  return sortedByPath(changes);
}

/** A directory before its content, siblings by name. */
function sortedByPath(changes: readonly FileChange[]): FileChange[] {
  return changes
    .map((change) => ({ change, key: change.path.replaceAll('/', '\0') }))
    .sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    .map(({ change }) => change);
}

/** The path of the root. The cast makes the brand: no bytes. */
const rootPath = '' as ByteString;

/** What a directory of the layer hides of the layers below by whiteouts. */
function removals(directory: LayerNode, changes: FileChange[], { index }: LayerListing, below: ImageTree): void {
  for (const name of directory.whiteouts ?? []) {
    const path = joinPath(directory.path, name);
    const here = index.get(path);
    // A name that is taken away and put there again is a change; only what was below it is gone.
    if (here === undefined) pushRemoved(below.lookup(path), changes, below);
    else if (isDirectoryNode(here)) hidden(path, changes, index, below);
  }
  if (directory.opaque) hidden(directory.path, changes, index, below);
}

/** Everything below a directory of lower layers that the layer does not have itself. */
function hidden(directory: ByteString, changes: FileChange[], index: LayerListing['index'], below: ImageTree): void {
  const pending = [directory];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const child of below.list(path)) {
      const here = index.get(child.path);
      if (here === undefined) pushRemoved(child, changes, below);
      else if (isDirectoryNode(here) && child.entry.type === 'directory') pending.push(child.path);
    }
  }
}

function pushRemoved(node: TreeNode | undefined, changes: FileChange[], below: ImageTree): void {
  if (node === undefined) return;
  changes.push({ kind: 'removed', path: node.path, entry: node.entry, ...contentBelow(node, below) });
}

/** Regular files at and below a node, hard links of one file once. */
export function contentBelow(node: TreeNode, tree: ImageTree): { readonly files: number; readonly bytes: number } {
  let files = 0;
  let bytes = 0;
  const count = ({ entry, hardlinkOf }: TreeNode): void => {
    if (entry.type !== 'file') return;
    files++;
    if (hardlinkOf === undefined) bytes += entry.size;
  };
  count(node);
  if (node.entry.type === 'directory') for (const child of tree.walk(node.path)) count(child);
  return { files, bytes };
}

function differences(
  before: TreeNode,
  node: LayerNode,
  entry: TarEntry,
  contents: readonly [before: string | undefined, after: string | undefined],
): ChangedAspect[] {
  const old = before.entry;
  if (old.type !== entry.type) return ['type'];
  const aspects: ChangedAspect[] = [];
  const differs = (aspect: ChangedAspect, isDifferent: boolean): void => {
    if (isDifferent) aspects.push(aspect);
  };
  const isTimeDifferent = old.mtimeNs !== entry.mtimeNs;
  if (entry.type === 'file') differs('content', isOtherContent(old, entry, contents, isTimeDifferent));
  differs('mode', old.mode !== entry.mode);
  differs('owner', old.uid !== entry.uid || old.gid !== entry.gid);
  differs('time', isTimeDifferent);
  differs('link', old.linkName !== entry.linkName && node.hardlinkOf === undefined && entry.type === 'symlink');
  differs('device', old.devMajor !== entry.devMajor || old.devMinor !== entry.devMinor);
  differs('xattrs', !haveEqualXattrs(old, entry));
  return aspects;
}

function isOtherContent(
  old: TarEntry,
  entry: TarEntry,
  [before, after]: readonly [before: string | undefined, after: string | undefined],
  isTimeDifferent: boolean,
): boolean {
  if (old.size !== entry.size) return true;
  if (entry.size === 0) return false;
  return before === undefined || after === undefined ? isTimeDifferent : before !== after;
}

function haveEqualXattrs({ xattrs: left }: TarEntry, { xattrs: right }: TarEntry): boolean {
  if ((left?.size ?? 0) !== (right?.size ?? 0)) return false;
  for (const [name, value] of left ?? []) if (right?.get(name)?.equals(value) !== true) return false;
  return true;
}

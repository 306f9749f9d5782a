import type { ByteString } from '../bytes.ts';
import { baseName, ROOT_PATH } from '../layer/layer-path.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { SparseSegment } from '../tar/sparse-map.ts';
import type { LayerNode } from './layer-index.ts';

/** One path of an image as a container would see it. */
export interface TreeNode {
  /** Relative to the root, without a leading slash; `''` is the root. */
  readonly path: ByteString;
  /** Last component of `path`. */
  readonly name: ByteString;
  /**
   * Metadata. Never of type `hardlink`: a hard link has the type, size, owner, mode and attributes of the file it
   * shares. Its own `path` is that of the archive, so take the node's.
   */
  readonly entry: TarEntry;
  /** Index of the layer that `entry` and the content come from, base 0; -1 for a root that no layer mentions. */
  readonly layer: number;
  /** Where the content starts in that layer's tar. Two names of one inode have equal `layer` and `dataOffset`. */
  readonly dataOffset: number;
  /** For every further name of a file: the path, in the same layer, of the name that came first. */
  readonly hardlinkOf?: ByteString;
  readonly sparse?: readonly SparseSegment[];
}

/** Where bytes of a file are: `size` bytes at `offset` of `tarPath`, or, when `sparse`, the stored runs of it. */
export interface TreeContent {
  readonly tarPath: string;
  readonly offset: number;
  /** Expanded size. */
  readonly size: number;
  /** Runs of stored bytes, one after the other from `offset`; all else is zero. */
  readonly sparse?: readonly SparseSegment[];
}

/** A node of the tree for what `layer` has; `entry` is given because an implied directory has none of its own. */
export function treeNode(found: LayerNode, entry: TarEntry, layer: number): TreeNode {
  return {
    path: found.path,
    name: baseName(found.path),
    entry,
    layer,
    dataOffset: found.dataOffset,
    ...(found.hardlinkOf === undefined ? undefined : { hardlinkOf: found.hardlinkOf }),
    ...(found.sparse === undefined ? undefined : { sparse: found.sparse }),
  };
}

/** What an engine makes where a layer has `a/b` but neither it nor a lower layer has `a`: root's, 0755, time 0. */
export function impliedDirectory(path: ByteString): TarEntry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtimeNs: 0n };
}

/** The root of a tree without any entry for it. */
export const BARE_ROOT: TreeNode = {
  path: ROOT_PATH,
  name: ROOT_PATH,
  entry: impliedDirectory(ROOT_PATH),
  layer: -1,
  dataOffset: -1,
};

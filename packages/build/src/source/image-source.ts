import { type ByteString, ImageTree, type LayerIndex, scanLayer, type TreeNode } from '@boxwright/oci';
import type { ContentRef, SourceNode, SourceTree } from './source-tree.ts';

/** The file system of a stage or image, read from its layers' tars. */
export class ImageSource implements SourceTree {
  readonly #tree: ImageTree;

  /** @param layers uncompressed tars, base first */
  constructor(layers: readonly string[]) {
    this.#tree = new ImageTree(layers.map((path) => () => indexOf(path)));
  }

  get tree(): ImageTree {
    return this.#tree;
  }

  lookup(path: ByteString): SourceNode | undefined {
    const node = this.#tree.lookup(path);
    return node === undefined ? undefined : this.#sourceNode(node);
  }

  list(directory: ByteString): readonly SourceNode[] {
    return this.#tree.list(directory).map((node) => this.#sourceNode(node));
  }

  #sourceNode(node: TreeNode): SourceNode {
    const { entry } = node;
    const content = this.#contentOf(node);
    return {
      path: node.path,
      // The tree resolves hard links to the file they share.
      type: entry.type === 'hardlink' ? 'file' : entry.type,
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      size: entry.size,
      mtimeNs: entry.mtimeNs,
      ...(entry.linkName === undefined ? {} : { linkName: entry.linkName }),
      ...(entry.devMajor === undefined ? {} : { devMajor: entry.devMajor }),
      ...(entry.devMinor === undefined ? {} : { devMinor: entry.devMinor }),
      ...(entry.xattrs === undefined ? {} : { xattrs: entry.xattrs }),
      ...(content === undefined ? {} : { content, inode: `${node.layer}:${node.dataOffset}` }),
    };
  }

  #contentOf(node: TreeNode): ContentRef | undefined {
    const content = this.#tree.contentOf(node);
    return content === undefined
      ? undefined
      : { kind: 'tar', tarPath: content.tarPath, offset: content.offset, sparse: content.sparse };
  }
}

/** Entries of all indexes kept at once; beyond it the least recently used are dropped. */
const KEPT_INDEXES = 24;

/** Layers never change under their name, so each thread scans one once while it is in use. */
const indexes = new Map<string, LayerIndex>();

function indexOf(tarPath: string): LayerIndex {
  const index = indexes.get(tarPath) ?? scanLayer(tarPath);
  indexes.delete(tarPath);
  indexes.set(tarPath, index);
  for (const oldest of indexes.keys()) {
    if (indexes.size <= KEPT_INDEXES) break;
    indexes.delete(oldest);
  }
  return index;
}

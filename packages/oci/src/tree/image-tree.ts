import { closeSync, openSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import type { ByteString } from '../bytes.ts';
import { displayPath, layerPath, parentPath, ROOT_PATH } from '../layer/layer-path.ts';
import { readScannedContent } from '../tar/scan-tar.ts';
import type { LayerIndex } from './layer-index.ts';
import { MergedDirectory } from './merged-directory.ts';
import { type ResolvedPath, type ResolveOptions, resolveInTree } from './resolve.ts';
import type { TreeContent, TreeNode } from './tree-node.ts';

/**
 * The file system of an image, from the indexes of its layers: nothing is unpacked. Paths are relative to the root, a
 * leading slash and `.` are tolerated, `''` is the root. Directories that were looked at are remembered, so
 * a tree costs what is looked at.
 */
export class ImageTree {
  readonly #layers: readonly (() => LayerIndex)[];
  readonly #loaded: (LayerIndex | undefined)[] = [];
  readonly #root: MergedDirectory;
  readonly #directories = new Map<string, MergedDirectory>();

  /** @param layers base first; each is asked for at most once, and only when an answer depends on it */
  constructor(layers: readonly (() => LayerIndex)[]) {
    this.#layers = layers;
    this.#root = MergedDirectory.root(layers.map((_, layer) => () => this.#layer(layer)));
    this.#directories.set('', this.#root);
  }

  /** What is seen at exactly this path, no link followed; undefined when nothing is. */
  lookup(path: ByteString): TreeNode | undefined {
    const found = this.#find(layerPath(path));
    return found instanceof MergedDirectory ? found.node : found;
  }

  /**
   * Follows `path` as a process in the container would, with links kept inside the root, and `..` stopping at it.
   * What does not exist is appended as it is.
   *
   * @throws BoxwrightError `PATH_LINK_LOOP` after 255 links
   */
  resolve(path: ByteString, options: ResolveOptions = {}): ResolvedPath {
    return resolveInTree(this, path, options);
  }

  /** What is directly in a directory, sorted by name (bytes); nothing for anything else. */
  list(directory: ByteString): TreeNode[] {
    const found = this.#find(layerPath(directory));
    if (!(found instanceof MergedDirectory)) return [];
    const nodes: TreeNode[] = [];
    for (const path of found.childPaths()) {
      const child = this.#childOf(found, path);
      if (child !== undefined) nodes.push(child instanceof MergedDirectory ? child.node : child);
    }
    return nodes;
  }

  /**
   * Everything below a directory (not itself), a directory before its content, siblings by name: the order of bytes
   * with `/` lowest. No link is followed.
   */
  *walk(directory: ByteString = ROOT_PATH): Generator<TreeNode, void, undefined> {
    const pending = this.list(directory).reverse();
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      yield node;
      if (node.entry.type === 'directory') for (const child of this.list(node.path).reverse()) pending.push(child);
    }
  }

  /** Where the bytes of a regular file are; undefined for anything else. */
  contentOf(node: TreeNode): TreeContent | undefined {
    if (node.entry.type !== 'file') return undefined;
    return {
      tarPath: this.#layer(node.layer).tarPath,
      offset: node.dataOffset,
      size: node.entry.size,
      ...(node.sparse === undefined ? undefined : { sparse: node.sparse }),
    };
  }

  /**
   * The content of a regular file.
   *
   * @throws BoxwrightError `FILE_TOO_LARGE` above `maxSize` bytes, `NOT_A_FILE`, `TAR_INVALID` when the layer was cut
   */
  readFile(node: TreeNode, maxSize: number): Buffer {
    const content = this.contentOf(node);
    if (content === undefined) {
      const message = `${displayPath(node.path)} in the image is a ${node.entry.type}, not a file`;
      throw new BoxwrightError('NOT_A_FILE', message);
    }
    if (content.size > maxSize) {
      const message = `${displayPath(node.path)} in the image has ${content.size} bytes, more than the ${maxSize} allowed`;
      throw new BoxwrightError('FILE_TOO_LARGE', message, { details: { size: content.size, maxSize } });
    }
    const bytes = Buffer.allocUnsafe(content.size);
    let filled = 0;
    const fd = openSync(content.tarPath, 'r');
    try {
      readScannedContent(fd, node, (chunk) => {
        filled += chunk.copy(bytes, filled);
      });
    } finally {
      closeSync(fd);
    }
    return bytes;
  }

  #layer(layer: number): LayerIndex {
    const known = this.#loaded[layer];
    if (known !== undefined) return known;
    const load = this.#layers[layer];
    if (load === undefined) throw new RangeError(`the image has no layer ${layer}`);
    const index = load();
    this.#loaded[layer] = index;
    return index;
  }

  #find(path: ByteString): MergedDirectory | TreeNode | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    // From the deepest directory that is known already down, not by recursion: paths may be two thousand deep.
    let directory: MergedDirectory | undefined;
    let parent = path;
    const missing: ByteString[] = [];
    while (directory === undefined) {
      missing.push(parent);
      parent = parentPath(parent);
      directory = this.#directories.get(parent);
    }
    for (let step = missing.pop(); step !== undefined; step = missing.pop()) {
      const child = this.#childOf(directory, step);
      if (!(child instanceof MergedDirectory)) return missing.length === 0 ? child : undefined;
      directory = child;
    }
    return directory;
  }

  #childOf(directory: MergedDirectory, path: ByteString): MergedDirectory | TreeNode | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const child = directory.child(path);
    if (child instanceof MergedDirectory) this.#directories.set(path, child);
    return child;
  }
}

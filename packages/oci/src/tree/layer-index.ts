import type { ByteString } from '../bytes.ts';
import { invalidLink, notADirectory, tooManyLinks } from '../layer/layer-errors.ts';
import {
  baseName,
  childPath,
  displayPath,
  joinPath,
  layerPath,
  MAX_LINKS,
  parentPath,
  ROOT_PATH,
} from '../layer/layer-path.ts';
import { parseWhiteout } from '../layer/whiteout.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { ScannedEntry } from '../tar/scan-tar.ts';
import type { SparseSegment } from '../tar/sparse-map.ts';

/** One path of one layer, hard links resolved, duplicates and replaced types settled as unpacking would settle them. */
export interface LayerNode {
  /** Where unpacking puts it: `entry.path` cleaned, and led through symlinks of this layer. */
  readonly path: ByteString;
  /** Undefined for a directory that the layer only implies by what it has below it. */
  readonly entry: TarEntry | undefined;
  /** Where the content starts in the tar; with the layer it identifies the inode, so equal for hard links. */
  readonly dataOffset: number;
  /** For every further name of a file: the path of the name that came first. */
  readonly hardlinkOf: ByteString | undefined;
  readonly sparse: readonly SparseSegment[] | undefined;
  /** A directory that hides what lower layers have below it. */
  readonly opaque: boolean;
  /** Names in this directory that are hidden in lower layers. */
  readonly whiteouts: ReadonlySet<string> | undefined;
}

/** All fields present from the start, so that every node has one hidden class; children hang in an unsorted chain. */
class Node implements LayerNode {
  readonly path: ByteString;
  entry: TarEntry | undefined;
  dataOffset = -1;
  hardlinkOf: ByteString | undefined = undefined;
  sparse: readonly SparseSegment[] | undefined = undefined;
  opaque = false;
  whiteouts: Set<string> | undefined = undefined;
  firstChild: Node | undefined = undefined;
  readonly nextSibling: Node | undefined;

  constructor(path: ByteString, parent: Node | undefined) {
    this.path = path;
    this.nextSibling = parent?.firstChild;
    if (parent !== undefined) parent.firstChild = this;
  }
}

/**
 * The entries of one layer by path. Nothing is sorted and no directory gets a map of its own: building it costs one
 * `Map` entry and one small object per path, the rest is worked out when asked for.
 */
export class LayerIndex {
  /** The uncompressed tar that `dataOffset` of the nodes refers to. */
  readonly tarPath: string;
  readonly #nodes = new Map<string, Node>();
  readonly #root: Node;

  /**
   * Applies the entries in archive order, as if they were unpacked into an empty directory: a later entry replaces
   * an earlier one of the same path, a directory merges with a directory, and a parent that is a symlink *of this
   * layer* is followed inside the root. Attributes in the header of a hard link are ignored: it has its target's.
   *
   * @throws BoxwrightError `LAYER_PATH_INVALID`, `LAYER_WHITEOUT_INVALID`, `LAYER_LINK_INVALID`, `LAYER_NOT_A_DIRECTORY`
   */
  constructor(tarPath: string, entries: Iterable<ScannedEntry>) {
    this.tarPath = tarPath;
    this.#root = new Node(ROOT_PATH, undefined);
    this.#nodes.set('', this.#root);
    this.#apply(entries);
  }

  /** Paths in this layer, implied directories and the root included. */
  get size(): number {
    return this.#nodes.size;
  }

  /** What the layer has at `path` (no link is followed; `''` is the root, which is always there). */
  get(path: ByteString): LayerNode | undefined {
    return this.#nodes.get(path);
  }

  /** What the layer has directly in `directory`, in no order. */
  *childrenUnsorted(directory: ByteString): Generator<LayerNode, void, undefined> {
    for (let child = this.#nodes.get(directory)?.firstChild; child !== undefined; child = child.nextSibling) {
      yield child;
    }
  }

  /** What the layer has directly in `directory`, sorted by name (bytes). */
  children(directory: ByteString): LayerNode[] {
    // Siblings share all but the name, so that comparing whole paths compares names; code units are bytes here.
    return [...this.childrenUnsorted(directory)].sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  /** Everything below the root, a directory before its content, siblings by name. */
  *entries(): Generator<LayerNode, void, undefined> {
    const pending: LayerNode[] = this.children(this.#root.path).reverse();
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      yield node;
      if (isDirectoryNode(node)) pending.push(...this.children(node.path).reverse());
    }
  }

  #apply(entries: Iterable<ScannedEntry>): void {
    let lastParent: ByteString | undefined;
    let lastDirectory = this.#root;
    for (const scanned of entries) {
      const path = layerPath(scanned.entry.path);
      if (path === '') {
        this.#applyToRoot(scanned);
        continue;
      }
      const whiteout = parseWhiteout(path);
      if (whiteout?.kind === 'ignored') continue;
      // An opaque whiteout's directory is the parent of its entry, as a whiteout's is.
      const parent = parentPath(path);
      if (parent !== lastParent) {
        lastDirectory = this.#directory(parent);
        // A parent reached through a link is looked up anew each time: the link may be replaced in between.
        lastParent = lastDirectory.path === parent ? parent : undefined;
      }
      if (whiteout === undefined) {
        // One text for entry and node: a million of them count.
        const target = lastDirectory.path === parent ? path : childPath(lastDirectory.path, baseName(path));
        this.#applyEntry(lastDirectory, target, scanned);
      } else if (whiteout.kind === 'opaque') lastDirectory.opaque = true;
      else (lastDirectory.whiteouts ??= new Set()).add(baseName(whiteout.path));
    }
  }

  #applyToRoot({ entry }: ScannedEntry): void {
    if (entry.type !== 'directory') throw notADirectory(this.#root.path, `a ${entry.type}`);
    this.#root.entry = entry;
  }

  #applyEntry(directory: Node, path: ByteString, scanned: ScannedEntry): void {
    const { entry } = scanned;
    const existing = this.#nodes.get(path);
    // Looked up before anything is replaced; a link to itself changes nothing.
    const target = entry.type === 'hardlink' ? this.#linkTarget(path, entry) : undefined;
    if (target !== undefined && target === existing) return;
    const node = existing ?? this.#create(path, directory);
    if (isDirectoryNode(node) && existing !== undefined && entry.type !== 'directory') this.#dropContent(node);
    if (target === undefined) {
      node.entry = entry;
      node.dataOffset = scanned.dataOffset;
      node.hardlinkOf = undefined;
      node.sparse = scanned.sparse;
    } else {
      node.entry = target.entry;
      node.dataOffset = target.dataOffset;
      node.hardlinkOf = target.hardlinkOf ?? target.path;
      node.sparse = target.sparse;
    }
  }

  #linkTarget(path: ByteString, entry: TarEntry): Node {
    const wanted = layerPath(entry.linkName ?? ROOT_PATH);
    const direct = this.#nodes.get(wanted);
    // No directory may come into being by looking for a target, so only an existing parent is asked.
    const target = direct ?? this.#nodes.get(joinPath(this.#existingDirectory(parentPath(wanted)), baseName(wanted)));
    if (target === undefined) {
      throw invalidLink(path, `links to ${displayPath(wanted)}, which is not in the layer before it`);
    }
    if (isDirectoryNode(target)) throw invalidLink(path, `is a hard link to the directory ${displayPath(wanted)}`);
    if (target.path.startsWith(`${path}/`)) throw invalidLink(path, 'replaces the directory that its target is in');
    return target;
  }

  #create(path: ByteString, directory: Node): Node {
    const node = new Node(path, directory);
    this.#nodes.set(path, node);
    return node;
  }

  #dropContent(directory: Node): void {
    const pending: Node[] = [];
    const take = (node: Node): void => {
      for (let child = node.firstChild; child !== undefined; child = child.nextSibling) pending.push(child);
    };
    take(directory);
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      this.#nodes.delete(node.path);
      take(node);
    }
    directory.firstChild = undefined;
    directory.opaque = false;
    directory.whiteouts = undefined;
  }

  /** The directory at `path`, made up where the layer has none, links of this layer followed. */
  #directory(path: ByteString): Node {
    const direct = this.#nodes.get(path);
    if (direct !== undefined && isDirectoryNode(direct)) return direct;
    return this.#walk(path, true) ?? this.#root;
  }

  /** The real path of the directory `path`, or of a place where nothing is. */
  #existingDirectory(path: ByteString): ByteString {
    const direct = this.#nodes.get(path);
    if (direct !== undefined && isDirectoryNode(direct)) return path;
    return this.#walk(path, false)?.path ?? path;
  }

  #walk(path: ByteString, create: boolean): Node | undefined {
    let directory = this.#root;
    let links = 0;
    const pending = path.split('/').reverse();
    for (let component = pending.pop(); component !== undefined; component = pending.pop()) {
      if (component === '' || component === '.') continue;
      if (component === '..') {
        directory = this.#nodes.get(parentPath(directory.path)) ?? this.#root;
        continue;
      }
      const step = childPath(directory.path, component);
      let child = this.#nodes.get(step);
      if (child === undefined) {
        if (!create) return undefined;
        child = this.#create(step, directory);
      }
      if (isDirectoryNode(child)) {
        directory = child;
      } else if (child.entry?.type === 'symlink') {
        if (++links > MAX_LINKS) throw tooManyLinks(step);
        const target = child.entry.linkName ?? ROOT_PATH;
        if (target.startsWith('/')) directory = this.#root;
        for (const part of target.split('/').reverse()) pending.push(part);
      } else {
        if (!create) return undefined;
        throw notADirectory(step, `a ${child.entry?.type ?? 'file'}`);
      }
    }
    return directory;
  }
}

/** True for a directory, also one that is only implied. */
export function isDirectoryNode(node: LayerNode): boolean {
  return node.entry === undefined || node.entry.type === 'directory';
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type ByteString, fromByteString } from '@boxwright/oci';
import { baseName, childPath, comparePaths, components, joined, parentPath, resolveLinks } from '../source/resolve.ts';
import type { SourceNode, SourceTree } from '../source/source-tree.ts';

const S_ISGID = 0o2000;

/** How names of whiteouts begin, and that of an opaque one (OCI image-spec layer.md). */
const WHITEOUT_PREFIX = '.wh.';
const OPAQUE_MARKER = '.wh..wh..opq';

/** Owner and time of what is created on the way. */
export interface Creation {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly mtimeNs: bigint;
}

/** An entry of the layer in the making. `linkTo`: a hard link to an entry of the same layer. */
export interface LayerEntry {
  readonly node: SourceNode;
  readonly linkTo?: ByteString;
}

/**
 * The file system of a stage as COPY, ADD and WORKDIR change it: the image below, read-only, and the entries of the layer
 * being made on top. Nothing is unpacked; only the entries end up in the layer's tar.
 */
export class DestinationTree {
  readonly #base: Pick<SourceTree, 'lookup'>;
  readonly #entries = new Map<string, LayerEntry>();
  /** Paths where something else was replaced: the image below is hidden from there on. */
  readonly #replaced = new Set<string>();
  /** Paths of hard links, by the path of the entry they link to. */
  readonly #links = new Map<string, Set<ByteString>>();

  constructor(base: Pick<SourceTree, 'lookup'>) {
    this.#base = base;
  }

  lookup = (path: ByteString): SourceNode | undefined => {
    const made = this.#entries.get(path);
    if (made !== undefined) return { ...made.node, path };
    return this.#isReplaced(path) ? undefined : this.#base.lookup(path);
  };

  /** True when the layer being made has this path itself. */
  isMade(path: ByteString): boolean {
    return this.#entries.has(path);
  }

  /** The path with links followed inside the root, as the kernel would in a chroot. */
  resolve(path: string): ByteString {
    return resolveLinks(this, path);
  }

  /** Makes the directory and its missing parents (fsutil `MkdirAll`); existing ones stay as they are. */
  makeDirectories(path: ByteString, creation: Creation): void {
    const names = components(path);
    for (let depth = 1; depth <= names.length; depth++) {
      const at = joined(names.slice(0, depth));
      const existing = this.lookup(at);
      if (existing?.type === 'directory') continue;
      if (existing !== undefined) throw notADirectory(at);
      // mkdir(2): a directory made in a setgid directory is one itself.
      const inherited = (this.lookup(parentPath(at))?.mode ?? 0) & S_ISGID;
      this.put({ path: at, type: 'directory', size: 0, ...creation, mode: creation.mode | inherited });
    }
  }

  /**
   * Puts an entry, whatever was there before; the caller has checked that it may go.
   *
   * @param linkTo path of an entry of this layer that the new one is a hard link to; `node` is what both show
   * @throws BoxwrightError `LAYER_NAME_RESERVED` for a name that would be taken for a whiteout
   */
  put(node: SourceNode, linkTo?: ByteString): void {
    if (baseName(node.path).startsWith(WHITEOUT_PREFIX)) throw reservedName(node.path);
    // A link to a link is one to the entry that has the content.
    const target = linkTo === undefined ? undefined : (this.#entries.get(linkTo)?.linkTo ?? linkTo);
    if (target === node.path) return;
    const before = this.lookup(node.path);
    if (before !== undefined && (before.type === 'directory') !== (node.type === 'directory'))
      this.#hideBelow(node.path);
    this.#remove(node.path);
    this.#entries.set(node.path, target === undefined ? { node } : { node, linkTo: target });
    if (target === undefined) return;
    const links = this.#links.get(target) ?? new Set();
    this.#links.set(target, links.add(node.path));
  }

  /** Takes an entry away. Its hard links keep what they show: the first of them becomes the entry that has it. */
  #remove(path: ByteString): void {
    const linkTo = this.#entries.get(path)?.linkTo;
    this.#entries.delete(path);
    if (linkTo !== undefined) this.#links.get(linkTo)?.delete(path);
    const links = this.#links.get(path);
    this.#links.delete(path);
    const [heir, ...others] = links ?? [];
    const inherited = heir === undefined ? undefined : this.#entries.get(heir);
    if (heir === undefined || inherited === undefined) return;
    this.#entries.set(heir, { node: inherited.node });
    this.#links.set(heir, new Set(others));
    for (const other of others) {
      const entry = this.#entries.get(other);
      if (entry !== undefined) this.#entries.set(other, { node: entry.node, linkTo: heir });
    }
  }

  /** Copies a file, link or special file to a path; a directory there is an error (fsutil `ensureEmptyFileTarget`). */
  putFile(node: SourceNode, linkTo?: ByteString): void {
    if (this.lookup(node.path)?.type === 'directory') {
      throw new BoxwrightError(
        'COPY_TARGET_IS_DIRECTORY',
        `cannot replace directory /${fromByteString(node.path)} with a file`,
        {
          hint: 'give a destination that ends with a slash to copy into the directory',
        },
      );
    }
    this.put(node, linkTo);
  }

  /** Every entry of the layer and the directories above it, a directory before what it holds. */
  layerEntries(): readonly LayerEntry[] {
    const all = new Map(this.#entries);
    for (const path of this.#entries.keys()) this.#addParents(path, all);
    for (const path of this.#replaced) this.#addOpaque(path, all);
    // Hard links come after what they link to: byte order of names does not give that, so links are put last.
    const sorted = [...all].sort(([a], [b]) => comparePaths(a, b)).map(([, entry]) => entry);
    return [
      ...sorted.filter(({ linkTo }) => linkTo === undefined),
      ...sorted.filter(({ linkTo }) => linkTo !== undefined),
    ];
  }

  #addParents(path: string, all: Map<string, LayerEntry>): void {
    // Keys are ByteStrings; a Map<string, …> forgets that.
    for (let parent = parentPath(path as ByteString); parent !== '' && !all.has(parent); parent = parentPath(parent)) {
      const node = this.lookup(parent);
      if (node !== undefined) all.set(parent, { node });
    }
  }

  /** A directory in place of something else shows nothing of the image below (OCI layer.md, opaque whiteout). */
  #addOpaque(path: string, all: Map<string, LayerEntry>): void {
    const at = path as ByteString; // Keys are ByteStrings, as above.
    const now = all.get(at);
    if (now?.node.type !== 'directory' || this.#base.lookup(at) === undefined) return;
    const marker = childPath(at, OPAQUE_MARKER);
    all.set(marker, {
      node: {
        ...now.node,
        path: marker,
        type: 'file',
        mode: 0o644,
        size: 0,
        content: { kind: 'bytes', data: new Uint8Array() },
      },
    });
  }

  #hideBelow(path: ByteString): void {
    this.#replaced.add(path);
    // Keys are ByteStrings, as above.
    for (const made of [...this.#entries.keys()]) if (made.startsWith(`${path}/`)) this.#remove(made as ByteString);
  }

  #isReplaced(path: ByteString): boolean {
    if (this.#replaced.size === 0 && this.#entries.size === 0) return false;
    for (let at = path; at !== ''; at = parentPath(at)) {
      if (this.#replaced.has(at)) return true;
      const made = this.#entries.get(at);
      if (made !== undefined && at !== path && made.node.type !== 'directory') return true;
    }
    return false;
  }
}

/** The node moved to another place. */
export function nodeAt(node: SourceNode, path: ByteString): SourceNode {
  return { ...node, path };
}

/** `directory` + `relative`, either of which may be empty. */
export function below(directory: ByteString, relative: ByteString): ByteString {
  return relative === '' ? directory : childPath(directory, relative);
}

function notADirectory(path: ByteString): BoxwrightError {
  return new BoxwrightError(
    'COPY_TARGET_NOT_DIRECTORY',
    `/${fromByteString(path)} is in the way: it is not a directory`,
    {
      hint: 'remove it in a RUN before, or copy somewhere else',
    },
  );
}

function reservedName(path: ByteString): BoxwrightError {
  const shown = escapeForTerminal(fromByteString(path));
  return new BoxwrightError(
    'LAYER_NAME_RESERVED',
    `/${shown} cannot be put into a layer: there it would be taken for a whiteout`,
    {
      hint: 'names that begin with .wh. are reserved; rename the file, or leave it out with .dockerignore',
      details: { path: fromByteString(path) },
    },
  );
}

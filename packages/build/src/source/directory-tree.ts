import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import type { IgnoreMatcher } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import { type ByteString, fromByteString, toByteString, toFsPath } from '@boxwright/oci';
import { getXattr, isAvailable, listXattrs } from '@boxwright/sys';
import { childPath, components, joined } from './resolve.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/** Attributes of context files that travel into the image, as BuildKit's context transfer keeps them. */
const KEPT_XATTR = 'security.capability';

/**
 * A directory of the host as the build context: everything belongs to root, what `.dockerignore` excludes is not there,
 * and an excluded directory is there when something below it is let in again. Nothing is read before it is asked for.
 *
 * Paths must come out of {@link resolveLinks}: then no component but the last is a link, and nothing outside is touched.
 */
export class DirectoryTree implements SourceTree {
  readonly #root: string;
  readonly #ignore: IgnoreMatcher | undefined;
  readonly #nodes = new Map<string, SourceNode | undefined>();
  readonly #lists = new Map<string, readonly SourceNode[]>();
  readonly #withXattrs: boolean;

  constructor(root: string, ignore: IgnoreMatcher | undefined, options: { readonly xattrs?: boolean } = {}) {
    this.#root = root;
    this.#ignore = ignore;
    this.#withXattrs = (options.xattrs ?? false) && isAvailable();
  }

  lookup(path: ByteString): SourceNode | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    const node = this.#isInside(path) ? this.#visible(path) : undefined;
    this.#nodes.set(path, node);
    return node;
  }

  list(directory: ByteString): readonly SourceNode[] {
    const known = this.#lists.get(directory);
    if (known !== undefined) return known;
    const nodes: SourceNode[] = [];
    for (const name of this.#names(directory)) {
      const path = childPath(directory, name);
      const node = this.#visible(path);
      if (node !== undefined) nodes.push(node);
    }
    this.#lists.set(directory, nodes);
    return nodes;
  }

  /** False when a parent is a link or not a directory: such a path is not in the tree under this name. */
  #isInside(path: ByteString): boolean {
    const names = components(path);
    for (let depth = 1; depth < names.length; depth++) {
      if (this.lookup(joined(names.slice(0, depth)))?.type !== 'directory') return false;
    }
    return true;
  }

  #visible(path: ByteString): SourceNode | undefined {
    const node = this.#stat(path);
    if (node === undefined || path === '' || this.#ignore === undefined) return node;
    const isDirectory = node.type === 'directory';
    const text = fromByteString(path);
    if (!this.#ignore.matches(text, isDirectory)) return node;
    return isDirectory && this.#ignore.needsDescend(text) && this.list(path).length > 0 ? node : undefined;
  }

  #names(directory: ByteString): string[] {
    const names = readdirSync(this.#fsPath(directory), { encoding: 'latin1' });
    return names.sort((a, b) => (a < b ? -1 : 1));
  }

  #stat(path: ByteString): SourceNode | undefined {
    const file = this.#fsPath(path);
    const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : this.#node(path, file, stats);
  }

  #node(path: ByteString, file: string | Buffer, stats: BigIntStats): SourceNode | undefined {
    const mode = Number(stats.mode) & 0o7777;
    const common = { path, uid: 0, gid: 0, size: 0, mtimeNs: stats.mtimeNs };
    if (stats.isFile()) {
      const xattrs = this.#withXattrs ? keptXattrs(file) : undefined;
      return {
        ...common,
        type: 'file',
        mode,
        size: Number(stats.size),
        content: { kind: 'file', path: file, identity: fileIdentity(stats) },
        ...(xattrs === undefined ? {} : { xattrs }),
        ...(stats.nlink > 1n ? { inode: `${stats.dev}:${stats.ino}` } : {}),
      };
    }
    if (stats.isDirectory()) return { ...common, type: 'directory', mode };
    if (stats.isSymbolicLink()) {
      return {
        ...common,
        type: 'symlink',
        mode: 0o777,
        linkName: toByteString(readlinkSync(file, { encoding: 'buffer' })),
      };
    }
    if (stats.isFIFO()) return { ...common, type: 'fifo', mode };
    if (stats.isCharacterDevice() || stats.isBlockDevice()) {
      const device = Number(stats.rdev);
      return {
        ...common,
        type: stats.isBlockDevice() ? 'block' : 'char',
        mode,
        devMajor: (device >>> 8) & 0xfff,
        devMinor: (device & 0xff) | ((device >>> 12) & 0xfff00),
      };
    }
    // Sockets have no place in an image; the context transfer leaves them out.
    return undefined;
  }

  #fsPath(path: ByteString): string | Buffer {
    if (path === '') return this.#root;
    const relative = toFsPath(path);
    return typeof relative === 'string'
      ? `${this.#root}/${relative}`
      : Buffer.concat([Buffer.from(`${this.#root}/`, 'utf8'), relative]);
  }
}

/** A text that differs whenever a file's content may differ. */
export function fileIdentity({ size, mtimeNs, ctimeNs, ino, dev }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}:${dev}`;
}

function keptXattrs(file: string | Buffer): ReadonlyMap<string, Buffer> | undefined {
  if (!listXattrs(file).includes(KEPT_XATTR)) return undefined;
  const value = getXattr(file, KEPT_XATTR);
  return value === undefined ? undefined : new Map([[KEPT_XATTR, value]]);
}

/** The context directory itself must be one. @throws BoxwrightError `CONTEXT_NOT_FOUND` */
export function checkContextDirectory(path: string): void {
  const kind = kindOf(path);
  if (kind === 'directory') return;
  throw new BoxwrightError(
    'CONTEXT_NOT_FOUND',
    kind === 'missing' ? `build context ${path} does not exist` : `build context ${path} is not a directory`,
    { hint: 'give the path of a directory' },
  );
}

function kindOf(path: string): 'directory' | 'other' | 'missing' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    throw error;
  }
}

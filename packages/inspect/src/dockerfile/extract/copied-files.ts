import { posix } from 'node:path';
import { hasWildcard, matchCopyPattern } from '@boxwright/dockerfile';
import {
  type ByteString,
  baseName,
  fromByteString,
  isDirectoryNode,
  joinPath,
  type LayerIndex,
  type LayerNode,
  layerPath,
  toByteString,
} from '@boxwright/oci';
import type { CopyStep } from '../model.ts';

/** A file or tree of a layer, and where a COPY took it from: a path in its context, `''` for the whole of it. */
export interface CopiedTree {
  readonly node: LayerNode;
  readonly contextPath: ByteString;
}

/** Where the files of a COPY came from, as far as its row and its layer tell. */
export interface CopiedFiles {
  readonly trees: readonly CopiedTree[];
  /** Directories among the sources that gave nothing: they have to be there. */
  readonly emptyDirectories: readonly ByteString[];
  /** Files of the Dockerfile itself, by name. */
  readonly inline: ReadonlyMap<string, LayerNode>;
  /** What of the layer no source explains. */
  readonly unexplained: readonly LayerNode[];
}

/**
 * Undoes a COPY or ADD: finds what each source was from what its layer has at the destination (Dockerfile reference,
 * "COPY"). A source that is a file keeps its name unless the destination is the new one; of a directory only the content is
 * copied. Undefined when the layer has nothing at the destination.
 */
export function copiedFiles(step: CopyStep, index: LayerIndex): CopiedFiles | undefined {
  const wanted = posix.resolve('/', step.workingDir, step.destination).slice(1);
  const target = findTarget(index, layerPath(toByteString(wanted)));
  if (target === undefined) return undefined;
  const placement = new Placement(step, index);
  if (isDirectoryNode(target)) placement.directory(target);
  else placement.file(target);
  return placement.result();
}

/**
 * The destination in the layer. It is written through links of the layers below, which are not known here: `/bin/uv`
 * lies in `usr/bin` then. So the shortest path that ends like it is taken, else the only one there is.
 */
function findTarget(index: LayerIndex, path: ByteString): LayerNode | undefined {
  const direct = index.get(path);
  if (direct !== undefined) return direct;
  const name = baseName(path);
  let only: LayerNode | undefined;
  let files = 0;
  let found: LayerNode | undefined;
  for (const node of index.entries()) {
    if (!isDirectoryNode(node)) {
      files++;
      only = node;
    }
    if (baseName(node.path) !== name) continue;
    if (!node.path.endsWith(`/${path}`) && !path.endsWith(`/${node.path}`)) continue;
    if (found === undefined || node.path.length < found.path.length) found = node;
  }
  return found ?? (files === 1 ? only : undefined);
}

class Placement {
  readonly #step: CopyStep;
  readonly #index: LayerIndex;
  readonly #trees: CopiedTree[] = [];
  readonly #empty: ByteString[] = [];
  readonly #inline = new Map<string, LayerNode>();
  readonly #unexplained: LayerNode[] = [];

  constructor(step: CopyStep, index: LayerIndex) {
    this.#step = step;
    this.#index = index;
  }

  result(): CopiedFiles {
    return {
      trees: this.#trees,
      emptyDirectories: this.#empty,
      inline: this.#inline,
      unexplained: this.#unexplained,
    };
  }

  /** The destination is the new name of one file. */
  file(node: LayerNode): void {
    const { sources, inline } = this.#step;
    const [source] = sources;
    const [written] = inline;
    if (source !== undefined) {
      const path = contextPath(source);
      const isPattern = hasWildcard(source);
      this.#place(node, isPattern ? literal(path, fromByteString(baseName(node.path))) : path);
    } else if (written !== undefined) {
      this.#inline.set(written.name, node);
    }
  }

  /** The destination is a directory: files in it by their names, the rest from sources that were directories. */
  directory(target: LayerNode): void {
    const { sources, inline, flags, destination } = this.#step;
    if (flags.includes('--parents')) return this.#parents(target);
    const left = new Map(
      this.#index.children(target.path).map((child) => [fromByteString(baseName(child.path)), child]),
    );
    for (const { name } of inline) {
      const child = left.get(name);
      if (child !== undefined) this.#inline.set(name, child);
      left.delete(name);
    }
    const directories: string[] = [];
    for (const source of sources) {
      const path = contextPath(source);
      const taken = hasWildcard(source)
        ? this.#matching(path, left)
        : this.#named(path, left, sources.length > 1 || destination.endsWith('/'));
      for (const name of taken) left.delete(name);
      if (taken.length === 0) directories.push(hasWildcard(source) ? literal(path, 'directory') : path);
    }
    this.#contents(directories, [...left.values()]);
  }

  /** `--parents`: the whole path of a source is below the destination, from its `/./` on. */
  #parents(target: LayerNode): void {
    const pivots = this.#step.sources.map((source) => {
      const pivot = source.indexOf('/./');
      return pivot < 0 ? '' : contextPath(source.slice(0, pivot));
    });
    this.#contents([...new Set(pivots)], this.#index.children(target.path));
  }

  /** A source without wildcard: a file when something of its name is there that is none of a directory's. */
  #named(path: string, left: ReadonlyMap<string, LayerNode>, keepsName: boolean): readonly string[] {
    const name = posix.basename(path);
    const child = left.get(name);
    if (child === undefined || isDirectoryNode(child) || !(keepsName || left.size === 1)) return [];
    this.#place(child, path);
    return [name];
  }

  /** A source with wildcards: the files that fit. Directories that fit have lost their names. */
  #matching(path: string, left: ReadonlyMap<string, LayerNode>): readonly string[] {
    const pattern = posix.basename(path);
    const taken: string[] = [];
    for (const [name, child] of left) {
      if (isDirectoryNode(child) || !matchCopyPattern(pattern, name)) continue;
      this.#place(child, literal(path, name));
      taken.push(name);
    }
    return taken;
  }

  /** What is left is the content of the sources that were directories; all goes to the first, the others are empty. */
  #contents(directories: readonly string[], children: readonly LayerNode[]): void {
    const [first] = directories;
    if (first === undefined) {
      this.#unexplained.push(...children);
      return;
    }
    for (const path of directories) if (path !== '') this.#empty.push(toByteString(path));
    // Joined as bytes: names in layers need not be text.
    for (const node of children) {
      this.#trees.push({ node, contextPath: joinPath(toByteString(first), baseName(node.path)) });
    }
  }

  #place(node: LayerNode, path: string): void {
    this.#trees.push({ node, contextPath: layerPath(toByteString(path)) });
  }
}

/** Sources count from the top of the context, wherever `..` wants to lead. */
function contextPath(source: string): string {
  return posix.resolve('/', source).slice(1);
}

/** A path that a pattern matches, with `name` as its last part. */
function literal(pattern: string, name: string): string {
  const directory = posix.dirname(pattern);
  const parts = directory === '.' ? [] : directory.split('/').map((part) => part.replace(/[*?]/g, 'x'));
  return [...parts, name].join('/');
}

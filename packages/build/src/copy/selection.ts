import { compileCopyPattern, hasWildcard } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import { type ByteString, fromByteString, toByteString } from '@boxwright/oci';
import type { CopyOperation, Transfer } from '../plan/operation.ts';
import { baseName, childPath, components, joined, resolveLinks } from '../source/resolve.ts';
import type { SourceNode, SourceTree } from '../source/source-tree.ts';
import { type CopyFilter, copyFilter } from './copy-filter.ts';

/** A node with its path below the copied source; `''` is the source itself. */
export interface SelectedEntry {
  readonly relative: ByteString;
  readonly node: SourceNode;
  /** Only there because something below it is: a directory that exists at the destination stays as it is. */
  readonly isParent?: true;
}

/** One source after wildcards: what is copied, before anything is known of the destination. */
export interface SelectedSource {
  /** The source's own name, which a file keeps when the destination is a directory. */
  readonly name: ByteString;
  readonly unpack: boolean;
  /** Parents before children, in byte order. */
  readonly entries: readonly SelectedEntry[];
}

/** How much may be selected before {@link TooLargeError}. */
export interface Budget {
  readonly files: number;
  readonly bytes: number;
}

/** Stops a selection that turns out to be too much for the main thread; it is done again in a worker. */
export class TooLargeError extends Error {}

/** What is left of a {@link Budget}. */
class Allowance {
  #files: number;
  #bytes: number;

  constructor({ files, bytes }: Budget) {
    this.#files = files;
    this.#bytes = bytes;
  }

  take(entries: readonly SelectedEntry[]): void {
    this.#files -= entries.length;
    for (const { node } of entries) this.#bytes -= node.size;
    if (this.#files < 0 || this.#bytes < 0) throw new TooLargeError('selection over budget');
  }
}

/** What is gathered of one source. */
class Gathering {
  readonly entries: SelectedEntry[] = [];
  readonly #allowance: Allowance | undefined;

  constructor(allowance: Allowance | undefined) {
    this.#allowance = allowance;
  }

  add(...entries: SelectedEntry[]): void {
    this.entries.push(...entries);
    this.#allowance?.take(entries);
  }
}

/**
 * The files that COPY or ADD takes, source by source. Links that name a source are followed inside the tree; links inside
 * a copied directory are taken as links (BuildKit's fsutil copy).
 *
 * @throws BoxwrightError `COPY_SOURCE_NOT_FOUND`
 */
export function selectSources(
  operation: CopyOperation,
  treeOf: (transfer: Transfer) => SourceTree,
  budget?: Budget,
): readonly SelectedSource[] {
  const allowance = budget === undefined ? undefined : new Allowance(budget);
  return operation.transfers.flatMap((transfer) => {
    const tree = treeOf(transfer);
    if (transfer.required !== undefined) requirePath(tree, transfer.required);
    const filter = copyFilter(transfer.include, operation.exclude);
    return matches(tree, transfer).map((path) => selectSource(tree, path, transfer, filter, new Gathering(allowance)));
  });
}

function matches(tree: SourceTree, transfer: Transfer): readonly ByteString[] {
  if (!transfer.wildcards) return [toByteString(transfer.path)];
  const names = components(toByteString(transfer.path));
  const first = names.findIndex(hasWildcard);
  const base = resolveLinks(tree, joined(names.slice(0, first)));
  // A pattern that matches nothing is no error (BuildKit's AllowEmptyWildcard).
  return expandPattern(tree, base, names.slice(first));
}

function expandPattern(tree: SourceTree, directory: ByteString, patterns: readonly ByteString[]): ByteString[] {
  const [pattern, ...rest] = patterns;
  if (pattern === undefined) return [directory];
  if (directory !== '' && tree.lookup(directory)?.type !== 'directory') return [];
  const compiled = compileCopyPattern(fromByteString(pattern));
  if (compiled === undefined) throw badPattern(pattern);
  return tree
    .list(directory)
    .filter((node) => compiled.matches(fromByteString(baseName(node.path))))
    .flatMap((node) => expandPattern(tree, childPath(directory, baseName(node.path)), rest));
}

function selectSource(
  tree: SourceTree,
  path: ByteString,
  transfer: Transfer,
  filter: CopyFilter | undefined,
  gathered: Gathering,
): SelectedSource {
  const resolved = resolveLinks(tree, path, transfer.followLinks);
  const root = tree.lookup(resolved);
  if (root === undefined) throw notFound(fromByteString(path));
  // With patterns a directory is only taken when it matches, or as the parent of something that does.
  const rootTaken = transfer.include.length === 0;
  if (rootTaken) gathered.add({ relative: toByteString(''), node: root });
  if (root.type === 'directory') walk(tree, resolved, toByteString(''), filter, gathered, []);
  return {
    name: baseName(joined(components(path))),
    unpack: transfer.unpack && root.type === 'file',
    entries: gathered.entries,
  };
}

/** `waiting` holds parent directories that come along as soon as something below them is taken. */
function walk(
  tree: SourceTree,
  directory: ByteString,
  relative: ByteString,
  filter: CopyFilter | undefined,
  gathered: Gathering,
  waiting: SelectedEntry[],
): void {
  for (const node of tree.list(directory)) {
    const name = baseName(node.path);
    const entry = { relative: childPath(relative, name), node };
    const isDirectory = node.type === 'directory';
    const verdict = filter === undefined ? 'take' : filter(fromByteString(entry.relative), isDirectory);
    if (verdict === 'skip') continue;
    if (verdict === 'take') {
      gathered.add(...waiting.splice(0), entry);
      if (isDirectory) walk(tree, node.path, entry.relative, filter, gathered, []);
      continue;
    }
    const parent = { ...entry, isParent: true } as const;
    waiting.push(parent);
    walk(tree, node.path, entry.relative, filter, gathered, waiting);
    const at = waiting.indexOf(parent);
    if (at !== -1) waiting.splice(at, 1);
  }
}

function requirePath(tree: SourceTree, path: string): void {
  if (tree.lookup(resolveLinks(tree, toByteString(path))) === undefined) throw notFound(path);
}

function badPattern(pattern: ByteString): BoxwrightError {
  return new BoxwrightError('COPY_PATTERN', `malformed pattern "${fromByteString(pattern)}"`, {
    hint: 'close the [, or write \\[ for the character itself',
  });
}

function notFound(path: string): BoxwrightError {
  return new BoxwrightError('COPY_SOURCE_NOT_FOUND', `"${path}": not found`, {
    hint: 'paths are relative to the root of the build context or stage; a file that .dockerignore excludes is not there',
    details: { path },
  });
}

import type { ByteString } from '@boxwright/oci';
import { parentPath } from '../source/resolve.ts';
import type { SourceNode } from '../source/source-tree.ts';
import { below, type Creation, type DestinationTree, nodeAt } from './destination.ts';
import type { ModeChange } from './file-mode.ts';
import type { SelectedSource } from './selection.ts';

/** Owner, mode and time rules of one COPY or ADD. */
export interface CopyRules {
  /** `--chown`; undefined keeps each file's owner. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode: ModeChange;
  /** Mode of directories that are made on the way. */
  readonly createdMode: number;
  /** SOURCE_DATE_EPOCH: every copied file gets it (BuildKit's CreatedTime). */
  readonly epochNs: bigint | undefined;
  /** Time of directories that are made on the way. */
  readonly nowNs: bigint;
}

/**
 * Copies one selected source to `dest` with the rules of BuildKit's fsutil `Copy`: a directory's content goes into the
 * destination, a file keeps its name when the destination is a directory or ends with a slash.
 */
export function layOutSource(tree: DestinationTree, source: SelectedSource, dest: string, rules: CopyRules): void {
  const creation = creationOf(rules);
  const asDirectory = dest.endsWith('/');
  tree.makeDirectories(tree.resolve(asDirectory ? dest : dest.slice(0, dest.lastIndexOf('/'))), creation);
  const resolved = tree.resolve(dest);
  const root = source.entries[0]?.relative === '' ? source.entries[0].node : undefined;
  const target =
    root !== undefined && root.type !== 'directory' && tree.lookup(resolved)?.type === 'directory'
      ? below(resolved, source.name)
      : resolved;
  const isFile = root !== undefined && root.type !== 'directory';
  tree.makeDirectories(isFile ? parentPath(target) : target, creation);
  const links = new Map<string, ByteString>();
  for (const { relative, node, isParent } of source.entries) {
    const at = below(target, relative);
    if (isParent === true && tree.lookup(at)?.type === 'directory') continue;
    if (node.type === 'directory') layOutDirectory(tree, node, at, relative === '', rules);
    else layOutFile(tree, node, at, rules, links);
  }
}

/**
 * A directory that is new takes the source's metadata, as does an existing one below the destination; the destination
 * itself keeps its mode and owner and takes only the time.
 */
function layOutDirectory(
  tree: DestinationTree,
  node: SourceNode,
  at: ByteString,
  isDestination: boolean,
  rules: CopyRules,
): void {
  if (at === '') return;
  const existing = tree.lookup(at);
  const mtimeNs = rules.epochNs ?? node.mtimeNs;
  if (isDestination && existing?.type === 'directory') {
    tree.put({ ...existing, mtimeNs });
    return;
  }
  if (existing !== undefined && existing.type !== 'directory') tree.makeDirectories(at, creationOf(rules));
  tree.put(nodeAt(changed(node, rules), at));
}

function layOutFile(
  tree: DestinationTree,
  node: SourceNode,
  at: ByteString,
  rules: CopyRules,
  links: Map<string, ByteString>,
): void {
  const linked = node.inode === undefined ? undefined : links.get(node.inode);
  if (node.inode !== undefined && linked === undefined) links.set(node.inode, at);
  tree.putFile(nodeAt(changed(node, rules), at), linked);
}

/** The node with the owner, mode and time it gets in the image. Links have no mode of their own. */
export function changed(node: SourceNode, rules: CopyRules): SourceNode {
  return {
    ...node,
    ...rules.owner,
    mode: node.type === 'symlink' ? node.mode : rules.mode(node.mode, node.type === 'directory'),
    mtimeNs: rules.epochNs ?? node.mtimeNs,
  };
}

/** What directories made on the way look like: `--chown` and an octal `--chmod` apply to them too. */
export function creationOf(rules: CopyRules): Creation {
  return {
    uid: rules.owner?.uid ?? 0,
    gid: rules.owner?.gid ?? 0,
    mode: rules.createdMode,
    mtimeNs: rules.epochNs ?? rules.nowNs,
  };
}

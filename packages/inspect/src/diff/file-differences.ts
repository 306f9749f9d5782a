import { type ByteString, fromByteString, type ImageTree, type TarEntry, type TreeNode } from '@boxwright/oci';
import type { DiffedFile, FileAspect, FileDifference, FileDifferences } from './model.ts';

/** One of two file systems. */
export interface DiffedTree {
  readonly tree: ImageTree;
  /** Names the layer of a node: the same inode of the same layer needs no comparison. */
  readonly layerId: (layer: number) => string | undefined;
  /** SHA-256 of a regular file's content. */
  readonly digest: (node: TreeNode) => Promise<string>;
}

/** How trees are compared. */
export interface FileDiffOptions {
  /** A time that differs is a difference. */
  readonly times: boolean;
  /** How many differences are listed at most; all are counted. */
  readonly limit: number;
  /** Sees every node that is not the same in both, also beyond the limit. */
  readonly onDifferent?: (before: TreeNode | undefined, after: TreeNode | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares two file systems path by path. Contents are compared by digest, and only where sizes are equal and the files
 * are not the same one of a layer that both have. Linear in the number of files; memory is that of the list.
 *
 * @throws BoxwrightError as the digests; the signal's reason
 */
export async function fileDifferences(
  before: DiffedTree,
  after: DiffedTree,
  options: FileDiffOptions,
): Promise<FileDifferences> {
  const counter = new Counter(options);
  const left = before.tree.walk();
  const right = after.tree.walk();
  let one = left.next();
  let other = right.next();
  while (one.done !== true || other.done !== true) {
    options.signal?.throwIfAborted();
    const order = one.done === true ? 1 : other.done === true ? -1 : comparePaths(one.value.path, other.value.path);
    if (one.done !== true && order < 0) {
      counter.add(one.value, undefined, []);
      one = left.next();
    } else if (other.done !== true && order > 0) {
      counter.add(undefined, other.value, []);
      other = right.next();
    } else if (one.done !== true && other.done !== true) {
      const aspects = await aspectsOf(one.value, before, other.value, after);
      if (aspects.length > 0) counter.add(one.value, other.value, aspects);
      one = left.next();
      other = right.next();
    }
  }
  return counter.result();
}

/** The order in which trees are walked: that of bytes, `/` before all others. */
function comparePaths(left: ByteString, right: ByteString): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const one = left.charCodeAt(index);
    const other = right.charCodeAt(index);
    if (one !== other) return (one === slash ? -1 : one) - (other === slash ? -1 : other);
  }
  return left.length - right.length;
}

const slash = 0x2f;

async function aspectsOf(
  one: TreeNode,
  before: DiffedTree,
  other: TreeNode,
  after: DiffedTree,
): Promise<readonly FileAspect[]> {
  if (isSameNode(one, before, other, after)) return none;
  const [left, right] = [one.entry, other.entry];
  if (left.type !== right.type) return ['type'];
  const aspects: FileAspect[] = [];
  if (left.type === 'file' && !(await hasSameContent(one, before, other, after))) aspects.push('content');
  if (left.type === 'symlink' && left.linkName !== right.linkName) aspects.push('link');
  // A symlink's mode means nothing on Linux.
  if (left.mode !== right.mode && left.type !== 'symlink') aspects.push('mode');
  if (left.uid !== right.uid || left.gid !== right.gid) aspects.push('owner');
  if (left.devMajor !== right.devMajor || left.devMinor !== right.devMinor) aspects.push('device');
  if (!hasSameAttributes(left, right)) aspects.push('xattrs');
  if (left.mtimeNs !== right.mtimeNs) aspects.push('time');
  return aspects;
}

const none: readonly FileAspect[] = [];

/** The same entry of the same layer. A hard link's node has its target's entry, so offset and path decide together. */
function isSameNode(one: TreeNode, before: DiffedTree, other: TreeNode, after: DiffedTree): boolean {
  const id = before.layerId(one.layer);
  return (
    id !== undefined && id === after.layerId(other.layer) && one.dataOffset === other.dataOffset && one.dataOffset >= 0
  );
}

async function hasSameContent(one: TreeNode, before: DiffedTree, other: TreeNode, after: DiffedTree): Promise<boolean> {
  if (one.entry.size !== other.entry.size) return false;
  if (one.entry.size === 0) return true;
  return (await before.digest(one)) === (await after.digest(other));
}

function hasSameAttributes({ xattrs: left }: TarEntry, { xattrs: right }: TarEntry): boolean {
  if ((left?.size ?? 0) !== (right?.size ?? 0)) return false;
  return [...(left ?? [])].every(([name, value]) => right?.get(name)?.equals(value) === true);
}

/** Counts differences, and keeps as many as are listed. */
class Counter {
  readonly #options: FileDiffOptions;
  readonly #list: FileDifference[] = [];
  readonly #counts = { added: 0, removed: 0, changed: 0, onlyTimes: 0, bytesBefore: 0, bytesAfter: 0 };
  #truncated = false;

  constructor(options: FileDiffOptions) {
    this.#options = options;
  }

  add(before: TreeNode | undefined, after: TreeNode | undefined, aspects: readonly FileAspect[]): void {
    const { times, limit, onDifferent } = this.#options;
    const isOnlyTime = aspects.length === 1 && aspects[0] === 'time';
    if (isOnlyTime) this.#counts.onlyTimes++;
    if (isOnlyTime && !times) return;
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    this.#counts[change]++;
    if (change !== 'changed' || aspects.includes('content') || aspects.includes('type')) {
      this.#counts.bytesBefore += fileBytes(before);
      this.#counts.bytesAfter += fileBytes(after);
      onDifferent?.(before, after);
    }
    if (this.#list.length >= limit) {
      this.#truncated = true;
      return;
    }
    this.#list.push({
      path: displayOf(before ?? after),
      change,
      aspects: times ? aspects : aspects.filter((aspect) => aspect !== 'time'),
      ...(before === undefined ? {} : { before: diffedFile(before) }),
      ...(after === undefined ? {} : { after: diffedFile(after) }),
    });
  }

  result(): FileDifferences {
    return { ...this.#counts, list: this.#list, truncated: this.#truncated };
  }
}

/** Bytes of a regular file; further names of one count nothing. */
function fileBytes(node: TreeNode | undefined): number {
  return node?.entry.type === 'file' && node.hardlinkOf === undefined ? node.entry.size : 0;
}

function displayOf(node: TreeNode | undefined): string {
  return node === undefined ? '' : `/${fromByteString(node.path)}`;
}

function diffedFile({ entry, layer }: TreeNode): DiffedFile {
  return {
    type: entry.type,
    size: entry.type === 'file' ? entry.size : 0,
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    ...(entry.linkName === undefined ? {} : { link: fromByteString(entry.linkName) }),
    time: timeText(entry.mtimeNs),
    layer,
  };
}

/** RFC 3339 in UTC, with as many digits as there are; years beyond 9999 as seconds since 1970. */
function timeText(nanoseconds: bigint): string {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = Number((nanoseconds - rest) / 1_000_000_000n);
  if (Math.abs(seconds) > 253_402_300_799) return `@${seconds}`;
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

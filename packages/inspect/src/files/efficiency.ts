import type { ByteString, ImageTree, LayerIndex, TreeNode } from '@boxwright/oci';
import { joinPath } from '@boxwright/oci';
import { treeOf } from './image-files.ts';

/** A path that several layers have, or that one has and another removes. */
export interface WastedPath {
  readonly path: ByteString;
  /** Layers in which it is, a removal included. */
  readonly count: number;
  /** Bytes of all of them together. */
  readonly bytes: number;
}

/** How much of an image is not there for nothing, by dive's definition. */
export interface Efficiency {
  /** 0 to 1; 1 for an image in which no path comes twice. */
  readonly score: number;
  /** Sum over {@link wasted}. */
  readonly wastedBytes: number;
  /** {@link wastedBytes} in proportion to {@link userBytes}; 0 where nothing is wasted. */
  readonly userWastedRatio: number;
  /** Bytes of the files of all layers. */
  readonly bytes: number;
  /** The same without the lowest layer, which whoever builds on a base cannot help. */
  readonly userBytes: number;
  /** Most bytes first. */
  readonly wasted: readonly WastedPath[];
}

interface PathSum {
  count: number;
  bytes: number;
  smallest: number;
}

/**
 * Measures as dive does, so that the same rules can be used (wagoodman/dive, dive/filetree/efficiency.go): over the
 * leaves of every layer's tree, a path has the sum of its sizes and the smallest of them; the score is the sum of the
 * smallest by the sum of all. Directories, links and removed files count 0; a removed directory counts what was in it.
 * What an opaque directory hides is not counted, as there. All of a path that comes twice is called wasted, the copy
 * that is needed included.
 *
 * @param layers base first
 */
export function measureEfficiency(layers: readonly LayerIndex[]): Efficiency {
  const sums = new Map<ByteString, PathSum>();
  const note = (path: ByteString, size: number): void => {
    const sum = sums.get(path);
    if (sum === undefined) sums.set(path, { count: 1, bytes: size, smallest: size });
    else {
      sum.count++;
      sum.bytes += size;
      sum.smallest = Math.min(sum.smallest, size);
    }
  };
  let bytes = 0;
  let userBytes = 0;
  for (const [number, index] of layers.entries()) {
    let below: ImageTree | undefined;
    const noteWhiteouts = (directory: ByteString, names: Iterable<string>): void => {
      for (const name of names) {
        below ??= treeOf(layers.slice(0, number));
        const path = joinPath(directory, name);
        note(path, removedBytes(below, below.lookup(path)));
      }
    };
    const root = index.get(rootPath);
    noteWhiteouts(rootPath, root?.whiteouts ?? []);
    for (const { path, entry, hardlinkOf, whiteouts } of index.entries()) {
      const size = entry?.type === 'file' && hardlinkOf === undefined ? entry.size : 0;
      bytes += size;
      if (number > 0) userBytes += size;
      noteWhiteouts(path, whiteouts ?? []);
      const isLeaf = (whiteouts?.size ?? 0) === 0 && index.childrenUnsorted(path).next().done === true;
      if (isLeaf) note(path, size);
    }
  }
  return { ...score(sums), bytes, userBytes, ...waste(sums, userBytes) };
}

/** The path of the root. The cast makes the brand: no bytes. */
const rootPath = '' as ByteString;

/** dive counts what is in a removed directory, and nothing for a removed file. */
function removedBytes(below: ImageTree, node: TreeNode | undefined): number {
  if (node?.entry.type !== 'directory') return 0;
  let bytes = 0;
  for (const { entry, hardlinkOf } of below.walk(node.path)) {
    if (entry.type === 'file' && hardlinkOf === undefined) bytes += entry.size;
  }
  return bytes;
}

function score(sums: ReadonlyMap<ByteString, PathSum>): { readonly score: number } {
  let needed = 0;
  let all = 0;
  for (const { bytes, smallest } of sums.values()) {
    needed += smallest;
    all += bytes;
  }
  return { score: all === 0 ? 1 : needed / all };
}

function waste(
  sums: ReadonlyMap<ByteString, PathSum>,
  userBytes: number,
): Pick<Efficiency, 'wastedBytes' | 'userWastedRatio' | 'wasted'> {
  const wasted: WastedPath[] = [];
  let wastedBytes = 0;
  for (const [path, { count, bytes }] of sums) {
    if (count < 2) continue;
    wasted.push({ path, count, bytes });
    wastedBytes += bytes;
  }
  wasted.sort((left, right) => right.bytes - left.bytes || (left.path < right.path ? -1 : 1));
  // dive divides by zero here; where users added nothing, everything that is wasted is too much.
  const userWastedRatio = wastedBytes === 0 ? 0 : userBytes === 0 ? 1 : wastedBytes / userBytes;
  return { wastedBytes, userWastedRatio, wasted };
}

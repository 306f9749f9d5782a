import type { ByteString } from '../bytes.ts';
import { baseName, ROOT_PATH } from '../layer/layer-path.ts';
import { isDirectoryNode, type LayerIndex, type LayerNode } from './layer-index.ts';
import { BARE_ROOT, impliedDirectory, type TreeNode, treeNode } from './tree-node.ts';

/** The share that one layer has in a merged directory. */
interface Member {
  readonly layer: number;
  readonly index: LayerIndex;
  readonly node: LayerNode;
}

/** Where a directory's members come from, top layer first; undefined at the end. */
type MemberSource = () => Member | undefined;

/**
 * A directory of the image: the directories of that path in every layer that can be seen there, top first. Lower
 * layers are asked (and so loaded) only when the upper ones do not settle the question.
 *
 * The rules are overlayfs' (and so Docker's): a directory over a directory merges, anything over anything else hides
 * it, and so do a whiteout and an opaque directory, which act on lower layers only.
 */
export class MergedDirectory {
  readonly path: ByteString;
  readonly #source: MemberSource;
  readonly #members: Member[] = [];
  #complete = false;
  #node: TreeNode | undefined;

  private constructor(path: ByteString, source: MemberSource) {
    this.path = path;
    this.#source = source;
  }

  /** The root of an image. */
  static root(layers: readonly (() => LayerIndex)[]): MergedDirectory {
    let next = layers.length - 1;
    return new MergedDirectory(ROOT_PATH, () => {
      const layer = next--;
      const index = layers[layer]?.();
      const node = index?.get(ROOT_PATH);
      return index === undefined || node === undefined ? undefined : { layer, index, node };
    });
  }

  /** The node of this directory: a directory that is only implied has the metadata of the next lower one. */
  get node(): TreeNode {
    this.#node ??= this.#findNode();
    return this.#node;
  }

  /** What is seen at `path`, a direct child: a directory to go on with, or the node of something else. */
  child(path: ByteString): MergedDirectory | TreeNode | undefined {
    const first = this.#firstWith(path);
    if (first === undefined) return undefined;
    const { member, position } = first;
    if (isDirectoryNode(member.node)) return this.#childDirectory(path, member, position);
    return member.node.entry === undefined ? undefined : treeNode(member.node, member.node.entry, member.layer);
  }

  /** The paths of everything that is seen in this directory, sorted by name (bytes). */
  childPaths(): ByteString[] {
    const top = this.#member(0);
    if (top === undefined) return [];
    if (this.#member(1) === undefined) return top.index.children(this.path).map((node) => node.path);
    const seen = new Set<ByteString>();
    const hidden = new Set<string>();
    for (let position = 0, member = this.#member(0); member !== undefined; member = this.#member(++position)) {
      for (const node of member.index.childrenUnsorted(this.path)) {
        if (hidden.size === 0 || !hidden.has(baseName(node.path))) seen.add(node.path);
      }
      for (const name of member.node.whiteouts ?? []) hidden.add(name);
    }
    return [...seen].sort();
  }

  #firstWith(path: ByteString): { member: Member; position: number } | undefined {
    for (let position = 0, member = this.#member(0); member !== undefined; member = this.#member(++position)) {
      const node = member.index.get(path);
      if (node !== undefined) return { member: { layer: member.layer, index: member.index, node }, position };
      if (member.node.whiteouts?.has(baseName(path)) === true) return undefined;
    }
    return undefined;
  }

  #childDirectory(path: ByteString, first: Member, firstPosition: number): MergedDirectory {
    const name = baseName(path);
    let position = firstPosition;
    let next: Member | undefined = first;
    return new MergedDirectory(path, () => {
      const answer = next;
      next = undefined;
      if (answer !== undefined) return answer;
      for (;;) {
        // A whiteout beside the child hides what is below it, not the child of the same layer.
        if (this.#member(position)?.node.whiteouts?.has(name) === true) return undefined;
        const member = this.#member(++position);
        if (member === undefined) return undefined;
        const node = member.index.get(path);
        if (node === undefined) continue;
        return isDirectoryNode(node) ? { layer: member.layer, index: member.index, node } : undefined;
      }
    });
  }

  #member(position: number): Member | undefined {
    while (!this.#complete && this.#members.length <= position) {
      const last = this.#members.at(-1);
      const member = last?.node.opaque === true ? undefined : this.#source();
      if (member === undefined) this.#complete = true;
      else this.#members.push(member);
    }
    return this.#members[position];
  }

  #findNode(): TreeNode {
    for (let position = 0, member = this.#member(0); member !== undefined; member = this.#member(++position)) {
      if (member.node.entry !== undefined) return treeNode(member.node, member.node.entry, member.layer);
    }
    // An opaque directory hides what others have in it, not what they say of the directory itself. A source that has come
    // to an end by itself is not asked again: something else than a directory hides all of that.
    const isOpaque = this.#members.at(-1)?.node.opaque === true;
    for (let member = isOpaque ? this.#source() : undefined; member !== undefined; member = this.#source()) {
      if (member.node.entry !== undefined) return treeNode(member.node, member.node.entry, member.layer);
    }
    const top = this.#member(0);
    if (top === undefined || this.path === ROOT_PATH) return BARE_ROOT;
    return treeNode(top.node, impliedDirectory(this.path), top.layer);
  }
}

import { BoxwrightError } from '@boxwright/errors';
import type { ByteString } from '../bytes.ts';
import { displayPath, joinPath, MAX_LINKS, ROOT_PATH } from '../layer/layer-path.ts';
import type { TreeNode } from './tree-node.ts';

/** How a path is followed. */
export interface ResolveOptions {
  /** Whether a link in the last component is followed too (default true). */
  readonly followLast?: boolean | undefined;
}

/** Where a path leads. */
export interface ResolvedPath {
  /** Without links (but for the last component, if asked), `.` and `..`. */
  readonly path: ByteString;
  /** What is there; undefined when nothing is yet. */
  readonly node?: TreeNode;
  /** What is in the way: something before the last component that is no directory. Then `node` is undefined. */
  readonly notDirectory?: TreeNode;
}

/** What resolving needs of a tree. */
export interface NodeSource {
  lookup(path: ByteString): TreeNode | undefined;
}

/**
 * Resolves `path` component by component; see {@link ImageTree.resolve}. `..` behind a component that does not exist
 * takes that component away again, as containerd's resolver does it.
 *
 * @throws BoxwrightError `PATH_LINK_LOOP`, `PATH_INVALID` for a NUL byte
 */
export function resolveInTree(tree: NodeSource, path: ByteString, options: ResolveOptions): ResolvedPath {
  if (path.includes('\0')) throw new BoxwrightError('PATH_INVALID', `path ${displayPath(path)} holds a NUL byte`);
  const followLast = options.followLast ?? true;
  const pending = splitPath(path).reverse();
  /** Nodes from below the root to the current place; undefined from the first that is missing on. */
  const chain: (TreeNode | undefined)[] = [];
  const paths: ByteString[] = [];
  const here = (): ByteString => paths.at(-1) ?? ROOT_PATH;
  let links = 0;
  for (let component = pending.pop(); component !== undefined; component = pending.pop()) {
    if (component === '..') {
      chain.pop();
      paths.pop();
      continue;
    }
    const childPath = joinPath(here(), component);
    const reachable = chain.length === 0 || chain.at(-1)?.entry.type === 'directory';
    const child = reachable ? tree.lookup(childPath) : undefined;
    if (child?.entry.type === 'symlink' && (pending.length > 0 || followLast)) {
      if (++links > MAX_LINKS) throw linkLoop(path);
      const target = child.entry.linkName ?? ROOT_PATH;
      if (target.startsWith('/')) {
        chain.length = 0;
        paths.length = 0;
      }
      for (const part of splitPath(target).reverse()) pending.push(part);
      continue;
    }
    chain.push(child);
    paths.push(childPath);
  }
  return answer(tree, here(), chain);
}

function answer(tree: NodeSource, path: ByteString, chain: readonly (TreeNode | undefined)[]): ResolvedPath {
  const node = path === '' ? tree.lookup(path) : chain.at(-1);
  if (node !== undefined) return { path, node };
  const obstacle = chain.find((step) => step !== undefined && step.entry.type !== 'directory');
  return obstacle === undefined ? { path } : { path, notDirectory: obstacle };
}

function splitPath(path: ByteString): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

function linkLoop(path: ByteString): BoxwrightError {
  const message = `${displayPath(path)} in the image goes through more than ${MAX_LINKS} links`;
  return new BoxwrightError('PATH_LINK_LOOP', message, { hint: 'The links lead back to themselves.' });
}

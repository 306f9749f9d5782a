import { BoxwrightError } from '@boxwright/errors';
import { type ByteString, fromByteString } from '@boxwright/oci';
import type { SourceNode, SourceTree } from './source-tree.ts';

/** As many links as Linux and containerd's `fs.RootPath` follow before they give up. */
const MAX_LINKS = 255;

/**
 * The path with every symbolic link on the way (and at the end) followed inside the tree: `..` and absolute targets
 * never leave its root. Components that do not exist are kept as they are.
 *
 * @throws BoxwrightError `LINK_LOOP`
 */
export function resolveLinks(tree: Pick<SourceTree, 'lookup'>, path: string, followLast = true): ByteString {
  const pending = components(path);
  const resolved: string[] = [];
  let links = 0;
  for (let component = pending.shift(); component !== undefined; component = pending.shift()) {
    if (component === '..') {
      resolved.pop();
      continue;
    }
    resolved.push(component);
    const node = tree.lookup(joined(resolved));
    if (node?.type !== 'symlink' || (pending.length === 0 && !followLast)) continue;
    if (++links > MAX_LINKS) {
      throw new BoxwrightError(
        'LINK_LOOP',
        `too many symbolic links on the way to ${fromByteString(joined(components(path)))}`,
        {
          hint: 'two links probably point at each other',
        },
      );
    }
    resolved.pop();
    const target = node.linkName ?? '';
    if (target.startsWith('/')) resolved.length = 0;
    pending.unshift(...components(target));
  }
  return joined(resolved);
}

/** Names of a path, `.` and empty ones left out. */
export function components(path: string): ByteString[] {
  // Cut at a slash, a ByteString stays one; callers give bytes, or text that is ASCII.
  return path.split('/').filter((component) => component !== '' && component !== '.') as ByteString[];
}

/** The names as a path; the parts of a ByteString are ByteStrings, which the type cannot express. */
export function joined(names: readonly string[]): ByteString {
  return names.join('/') as ByteString;
}

/** `directory/name`, or the name alone at the root. */
export function childPath(directory: ByteString, name: string): ByteString {
  return (directory === '' ? name : `${directory}/${name}`) as ByteString; // Parts of ByteStrings, as above.
}

/** The last name of a path. */
export function baseName(path: string): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString; // A suffix of a ByteString.
}

/** The path above; the root of the root is the root. */
export function parentPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  return (slash === -1 ? '' : path.slice(0, slash)) as ByteString; // A prefix of a ByteString.
}

/** Compares paths so that a directory comes right before what it holds: `/` sorts lowest. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return (left === 0x2f ? -1 : left) - (right === 0x2f ? -1 : right);
  }
  return a.length - b.length;
}

/** The synthetic root of a tree that does not list one. */
export function rootNode(mtimeNs = 0n): SourceNode {
  return { path: '' as ByteString, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtimeNs }; // '' has no bytes at all.
}

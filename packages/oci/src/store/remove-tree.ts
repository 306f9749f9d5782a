import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { errorCode, unlessMissing } from './files.ts';

/** Directories whose path grows longer than this are moved up first, so that no path meets PATH_MAX (4096). */
const longPath = 3000;

/**
 * Removes a file or a whole tree and returns the bytes of disk that came free. Works on any names (also such that are
 * not UTF-8), any depth, and directories closed to their owner (overlay work directories have mode 0). Links are
 * removed, not followed; a directory that another file system is mounted on is left alone, and so are its parents.
 *
 * @throws the file system's error when something cannot be removed (another user's files); what could be is gone
 */
export function removeTree(path: string): number {
  const root = Buffer.from(path);
  const stat = unlessMissing(() => lstatSync(root));
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return removeLeaf(root, stat);
  let bytes = 0;
  const moved: Buffer[] = [];
  const moveUp = (directory: Buffer): void => {
    const name = Buffer.concat([root, Buffer.from(`.deep${moved.length}`)]);
    renameSync(directory, name);
    moved.push(name);
  };
  bytes += removeDirectory(root, stat.dev, moveUp);
  for (let next = moved.shift(); next !== undefined; next = moved.shift()) {
    bytes += removeDirectory(next, stat.dev, moveUp);
  }
  return bytes;
}

/** Bytes of disk that a tree takes: what {@link removeTree} would give back. */
export function treeSize(path: string): number {
  let bytes = 0;
  const pending: Buffer[] = [Buffer.from(path)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const current = next;
    const stat = unlessMissing(() => lstatSync(current));
    if (stat === undefined) continue;
    bytes += stat.blocks * 512;
    if (!stat.isDirectory()) continue;
    for (const name of namesAsBytes(current)) pending.push(joinBytes(current, name));
  }
  return bytes;
}

function removeDirectory(path: Buffer, device: number, moveUp: (directory: Buffer) => void): number {
  let bytes = 0;
  let mounted = false;
  for (const name of namesToRemove(path)) {
    const child = joinBytes(path, name);
    const stat = unlessMissing(() => lstatSync(child));
    if (stat === undefined) continue;
    if (!stat.isDirectory()) bytes += removeLeaf(child, stat);
    else if (stat.dev !== device) mounted = true;
    else if (child.length > longPath) moveUp(child);
    else bytes += removeDirectory(child, device, moveUp);
  }
  if (mounted) return bytes;
  const stat = unlessMissing(() => lstatSync(path));
  unlessMissing(() => rmdirSync(path));
  return bytes + (stat?.blocks ?? 0) * 512;
}

function removeLeaf(path: Buffer, stat: Stats): number {
  unlessMissing(() => unlinkSync(path));
  return stat.nlink === 1 ? stat.blocks * 512 : 0;
}

/** Names as bytes, after taking the permission to remove them: unlink(2) needs it on the directory. */
function namesToRemove(directory: Buffer): Buffer[] {
  const stat = unlessMissing(() => lstatSync(directory));
  if (stat === undefined) return [];
  if ((stat.mode & 0o700) !== 0o700) chmodSync(directory, 0o700);
  return namesAsBytes(directory);
}

function namesAsBytes(directory: Buffer): Buffer[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' });
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}

function joinBytes(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}

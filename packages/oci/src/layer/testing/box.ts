import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getXattr, isAvailable, listXattrs } from '@boxwright/sys';
import type { TarEntry } from '../../tar/entry.ts';
import { writeTar } from '../../tar/testing/tar-fixtures.ts';

/** A directory to unpack into, and beside it what must never be touched. */
export interface Box extends Disposable {
  readonly dir: string;
  readonly target: string;
  readonly outside: string;
  /** Lower-case letters of the path of {@link outside}, for links that point there. */
  readonly canary: string;
}

/** Makes a box in the directory for temporary files; disposing removes it. */
export function makeBox(): Box {
  const dir = mkdtempSync(join(tmpdir(), 'boxwright-layer-'));
  const target = join(dir, 'target');
  const outside = join(dir, 'outside');
  mkdirSync(target);
  mkdirSync(join(outside, 'sub'), { recursive: true });
  const canary = join(outside, 'canary');
  writeFileSync(canary, 'alive', { mode: 0o640 });
  writeFileSync(join(outside, 'sub', 'file'), 'alive too');
  return { dir, target, outside, canary, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** The archive of these entries; a file's content is its path again and again, as long as its size says. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return writeTar(entries.map((entry) => ({ entry, content: contentFor(entry) })));
}

/** The content that {@link tarOf} gives a file. */
export function contentFor(entry: TarEntry): Buffer {
  return Buffer.alloc(entry.size, entry.path === '' ? 'x' : entry.path, 'latin1');
}

/** Everything that a layer may say of each path below `dir` (and of `dir`, as `.`), one line each. */
export function describeTree(dir: string): Record<string, string> {
  const lines: Record<string, string> = {};
  const inodes = new Map<string, string>();
  const visit = (path: string, shown: string): void => {
    const stats = lstatSync(path, { bigint: true });
    const inode = `${stats.dev}:${stats.ino}`;
    const parts = [
      (stats.mode & 0o7777777n).toString(8),
      `${stats.uid}:${stats.gid}`,
      `@${stats.mtimeNs}`,
      ...(stats.isFile() ? [createHash('sha1').update(readFileSync(path)).digest('hex')] : []),
      ...(stats.isSymbolicLink() ? [`-> ${readlinkSync(path, 'latin1')}`] : []),
      ...(stats.isCharacterDevice() || stats.isBlockDevice() ? [`dev ${stats.rdev}`] : []),
      ...(inodes.has(inode) ? [`= ${inodes.get(inode)}`] : []),
      ...(isAvailable() ? xattrsOf(path) : []),
    ];
    inodes.set(inode, shown);
    lines[shown] = parts.join(' ');
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(path).sort()) visit(join(path, name), shown === '.' ? name : `${shown}/${name}`);
  };
  visit(dir, '.');
  return lines;
}

function xattrsOf(path: string): string[] {
  return listXattrs(path)
    .filter((name) => name !== 'security.selinux')
    .sort()
    .map((name) => `${name}=${getXattr(path, name)?.toString('hex')}`);
}

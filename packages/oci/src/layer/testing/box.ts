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
import { getXattr, isAvailable, listXattrs, type PathLike } from '@boxwright/sys';
import { type ByteString, toByteString, toFsPath } from '../../bytes.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { writeTar } from '../../tar/testing/tar-fixtures.ts';
import { wholeSeconds } from '../../tar/whole-seconds.ts';

/** A directory to unpack into, and beside it what must never be touched. */
export interface Box extends Disposable {
  readonly dir: string;
  readonly target: string;
  readonly outside: string;
  /** A file in {@link outside}. */
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

/** Time of a file as {@link describeTree} shows it: nanoseconds, or those of the whole second as packing writes it. */
export type ShownTimes = 'exact' | 'seconds';

/**
 * Everything that a layer may say of each path below `dir` (and of `dir`, as `.`), one line each. Names are bytes, one
 * per code unit.
 */
export function describeTree(dir: string, times: ShownTimes = 'exact'): Record<string, string> {
  const lines: Record<string, string> = {};
  const inodes = new Map<string, string>();
  const root = toByteString(dir);
  const visit = (shown: string): void => {
    // The cast makes the brand: parts of ByteStrings.
    const path = toFsPath((shown === '.' ? root : `${root}/${shown}`) as ByteString);
    const stats = lstatSync(path, { bigint: true });
    const inode = `${stats.dev}:${stats.ino}`;
    const parts = [
      (stats.mode & 0o7777777n).toString(8),
      `${stats.uid}:${stats.gid}`,
      `@${times === 'exact' ? stats.mtimeNs : wholeSeconds(stats.mtimeNs)}`,
      ...(stats.isFile() ? [createHash('sha1').update(readFileSync(path)).digest('hex')] : []),
      ...(stats.isSymbolicLink() ? [`-> ${readlinkSync(path, 'latin1')}`] : []),
      ...(stats.isCharacterDevice() || stats.isBlockDevice() ? [`dev ${stats.rdev}`] : []),
      ...(inodes.has(inode) ? [`= ${inodes.get(inode)}`] : []),
      ...(isAvailable() ? xattrsOf(path) : []),
    ];
    inodes.set(inode, shown);
    lines[shown] = parts.join(' ');
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(path, 'latin1').sort()) visit(shown === '.' ? name : `${shown}/${name}`);
  };
  visit('.');
  return lines;
}

function xattrsOf(path: PathLike): string[] {
  return listXattrs(path)
    .filter((name) => name !== 'security.selinux')
    .sort()
    .map((name) => `${name}=${getXattr(path, name)?.toString('hex')}`);
}

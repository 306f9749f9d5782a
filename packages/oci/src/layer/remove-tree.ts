import { chmodSync, closeSync, constants, lstatSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { type ByteString, toFsPath } from '../bytes.ts';
import { joinPath } from './layer-path.ts';

/** Opens a place without asking for permission to read it; missing from Node's constants, the same on all Linux. */
export const O_PATH = 0o10000000;

/** A directory opened by us, as a prefix for the names in it: `/proc/self/fd/N/`. */
export type DirectoryPrefix = string;

/** `name` in the directory, as `fs` takes it. */
export function childOf(directory: DirectoryPrefix, name: string): string | Buffer {
  // The cast makes the brand: the prefix is ASCII, the name a part of a ByteString.
  return toFsPath((directory + name) as ByteString);
}

/** The prefix for names in the directory open as `fd`. */
export function prefixOf(fd: number): DirectoryPrefix {
  return `/proc/self/fd/${fd}/`;
}

/** What is to be kept while a tree is removed. */
export interface Removal {
  /** True for what must stay; then so do the directories above it. */
  keeps(path: ByteString): boolean;
  /** Called for everything that was removed. */
  removed?(path: ByteString): void;
  /** Called for a directory that stays, with its prefix, after what is below it was dealt with. */
  kept?(path: ByteString, prefix: DirectoryPrefix): void;
}

/**
 * Removes `name` of a directory with all that is below it. No link is followed, not even one that takes a directory's
 * place meanwhile: every level is opened with `O_NOFOLLOW`, and names are looked up in open directories only.
 *
 * @returns true when something had to stay
 */
export function removeTree(directory: DirectoryPrefix, name: string, path: ByteString, removal: Removal): boolean {
  const target = childOf(directory, name);
  const stats = lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (!stats.isDirectory()) {
    if (removal.keeps(path)) return true;
    unlinkSync(target);
    removal.removed?.(path);
    return false;
  }
  if ((stats.mode & 0o700) !== 0o700 && process.geteuid?.() !== 0) makeAccessible(target);
  const fd = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  let hasKept: boolean;
  try {
    hasKept = removeContent(prefixOf(fd), path, removal);
    if (removal.keeps(path)) hasKept = true;
    if (hasKept) removal.kept?.(path, prefixOf(fd));
  } finally {
    closeSync(fd);
  }
  if (hasKept) return true;
  rmdirSync(target);
  removal.removed?.(path);
  return false;
}

/** Removes what is in a directory; true when something had to stay. */
export function removeContent(directory: DirectoryPrefix, path: ByteString, removal: Removal): boolean {
  let hasKept = false;
  for (const name of readdirSync(directory, 'latin1')) {
    if (removeTree(directory, name, joinPath(path, name), removal)) hasKept = true;
  }
  return hasKept;
}

/** Without root, the owner's own permission bits are in the way of reading and emptying a directory. */
function makeAccessible(target: string | Buffer): void {
  const fd = openSync(target, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${fd}`, 0o700);
  } finally {
    closeSync(fd);
  }
}

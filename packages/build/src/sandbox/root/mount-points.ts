import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, rmdirSync, unlinkSync } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { O_PATH, setTimesNs } from '@boxwright/sys';
import { at, isErrno, locate } from './locate.ts';

/** Something made so that a mount has a place, to be removed when the command is done. */
interface Stub {
  readonly parent: number;
  readonly name: string;
  readonly directory: boolean;
  readonly inode: bigint;
}

/** Times of a directory that got a stub. */
interface ParentTimes {
  readonly parent: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  /** Modification time after the last stub was made in it: still the same later means that only we changed it. */
  ownMtimeNs: bigint;
}

/**
 * The places in one root file system that something is mounted on. What is missing is made, remembered by descriptor of
 * its parent directory, and removed afterwards when it is still ours and still empty; directories that got
 * a stub get their times back unless the command changed them too. The layer shows nothing of the mounts.
 * (BuildKit's mount stubs; threats B4, B5.)
 */
export class MountPoints {
  readonly #root: number;
  readonly #stubs: Stub[] = [];
  readonly #times = new Map<bigint, ParentTimes>();
  readonly #descriptors: number[] = [];

  /** @param root descriptor of the root file system's directory */
  constructor(root: number) {
    this.#root = root;
  }

  /**
   * The path of an existing or new mount point, usable by system calls until {@link close}.
   *
   * @throws BoxwrightError `SANDBOX_PATH_INVALID` when `target` is the root, or of the wrong kind, or cannot be made
   */
  ensure(target: string, kind: 'directory' | 'file'): string {
    const located = locate(this.#root, target);
    if (located === undefined) throw invalidTarget(target, 'it is the root of the file system');
    this.#descriptors.push(located.parent);
    const { parent, name, missing, stats } = located;
    if (stats === undefined) {
      try {
        return this.#make(parent, missing, kind);
      } catch (error) {
        throw invalidTarget(target, 'it cannot be made', error);
      }
    }
    if (stats.isDirectory() === (kind === 'directory')) return at(parent, name);
    throw invalidTarget(target, kind === 'file' ? 'it is a directory' : 'it is not a directory');
  }

  /** True when a path that {@link ensure} gave was made by it. */
  made(path: string): boolean {
    return this.#stubs.some(({ parent, name }) => at(parent, name) === path);
  }

  /** Removes the stubs; call it after unmounting. */
  removeStubs(): void {
    for (const times of this.#times.values()) {
      const { mtimeNs } = fstatSync(times.parent, { bigint: true });
      // Seen before the first removal: what the command did to the directory stays visible.
      if (mtimeNs !== times.ownMtimeNs) this.#times.set(inodeKey(times.parent), { ...times, mtimeNs });
    }
    for (const stub of this.#stubs.toReversed()) removeStub(stub);
    for (const { parent, atimeNs, mtimeNs } of this.#times.values()) setTimesNs(at(parent, '.'), atimeNs, mtimeNs);
  }

  /** Closes the descriptors, with which the file system's last users may go. */
  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }

  #make(start: number, names: readonly string[], kind: 'directory' | 'file'): string {
    let parent = start;
    for (const [index, name] of names.entries()) {
      const last = index === names.length - 1;
      if (index === 0) this.#rememberTimes(parent);
      this.#makeOne(parent, name, last ? kind : 'directory');
      if (last) return at(parent, name);
      parent = openSync(at(parent, name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      this.#descriptors.push(parent);
    }
    throw new RangeError('nothing to make');
  }

  #makeOne(parent: number, name: string, kind: 'directory' | 'file'): void {
    const path = at(parent, name);
    if (kind === 'directory') mkdirSync(path, 0o755);
    else
      closeSync(
        openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0o755),
      );
    const { ino } = lstatSync(path, { bigint: true });
    this.#stubs.push({ parent, name, directory: kind === 'directory', inode: ino });
    const times = this.#times.get(inodeKey(parent));
    if (times !== undefined) times.ownMtimeNs = fstatSync(parent, { bigint: true }).mtimeNs;
  }

  #rememberTimes(parent: number): void {
    const { ino, atimeNs, mtimeNs } = fstatSync(parent, { bigint: true });
    if (!this.#times.has(ino)) this.#times.set(ino, { parent, atimeNs, mtimeNs, ownMtimeNs: mtimeNs });
  }
}

function inodeKey(descriptor: number): bigint {
  return fstatSync(descriptor, { bigint: true }).ino;
}

function removeStub({ parent, name, directory, inode }: Stub): void {
  const path = at(parent, name);
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || stats.ino !== inode || stats.isDirectory() !== directory) return;
  if (!directory) {
    if (stats.size === 0n) unlinkSync(path);
    return;
  }
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

function invalidTarget(target: string, why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError(
    'SANDBOX_PATH_INVALID',
    `cannot mount at ${escapeForTerminal(target)} in the image: ${why}`,
    {
      cause,
      details: { target },
    },
  );
}

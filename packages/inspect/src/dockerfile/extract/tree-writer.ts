import { chmodSync, linkSync, lstatSync, lutimesSync, mkdirSync, renameSync, symlinkSync, utimesSync } from 'node:fs';
import {
  type ByteString,
  joinPath,
  parentPath,
  ROOT_PATH,
  type TarEntry,
  toByteString,
  toFsPath,
} from '@boxwright/oci';

/**
 * Writes files below a directory that nobody else writes to. Every directory on the way is made by it, or found to be one
 * and no link, so nothing lands outside.
 */
export class TreeWriter {
  readonly #root: ByteString;
  readonly #directories = new Map<string, TarEntry | undefined>();

  constructor(root: string) {
    this.#root = toByteString(root);
    mkdirSync(root, { recursive: true });
    this.#directories.set('', undefined);
  }

  /** False when something that is no directory is in the way. */
  directory(path: ByteString, entry?: TarEntry): boolean {
    if (!this.#ensure(path)) return false;
    if (entry !== undefined) this.#directories.set(path, entry);
    return true;
  }

  /** Moves a spooled file to its place. */
  file(path: ByteString, spooled: string, entry: TarEntry): boolean {
    return this.#put(path, (place) => {
      renameSync(spooled, place);
      chmodSync(place, entry.mode & 0o777);
      utimesSync(place, seconds(entry), seconds(entry));
    });
  }

  /** A further name of a file that was written before. */
  link(path: ByteString, existing: ByteString): boolean {
    return this.#put(path, (place) => linkSync(this.#place(existing), place));
  }

  symlink(path: ByteString, entry: TarEntry): boolean {
    return this.#put(path, (place) => {
      symlinkSync(toFsPath(entry.linkName ?? ROOT_PATH), place);
      lutimesSync(place, seconds(entry), seconds(entry));
    });
  }

  /** Gives directories their modes and times, which writing into them would have changed. They stay writable. */
  finish(): void {
    for (const [path, entry] of [...this.#directories].reverse()) {
      if (entry === undefined) continue;
      // Keys are what directory() was given.
      const place = this.#place(path as ByteString);
      chmodSync(place, (entry.mode & 0o777) | 0o700);
      utimesSync(place, seconds(entry), seconds(entry));
    }
  }

  #put(path: ByteString, write: (place: string | Buffer) => void): boolean {
    if (path === '' || !this.#ensure(parentPath(path))) return false;
    const place = this.#place(path);
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) return false;
    write(place);
    return true;
  }

  #ensure(path: ByteString): boolean {
    if (this.#directories.has(path)) return true;
    if (!this.#ensure(parentPath(path))) return false;
    const place = this.#place(path);
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined) mkdirSync(place);
    else if (!stats.isDirectory()) return false;
    this.#directories.set(path, undefined);
    return true;
  }

  #place(path: ByteString): string | Buffer {
    return toFsPath(path === '' ? this.#root : joinPath(this.#root, path));
  }
}

/** Seconds since 1970; what a file system does not take is the start of that. */
function seconds({ mtimeNs }: TarEntry): number {
  const value = Number(mtimeNs) / 1e9;
  return value >= 0 && value < 2 ** 33 ? value : 0;
}

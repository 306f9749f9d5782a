import { fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync, readFileSync } from 'node:fs';
import { getXattr, isAvailable, listXattrs, type PathLike, removeXattr, setTimesNs, setXattr } from '@boxwright/sys';
import type { TarEntry } from '../tar/entry.ts';
import { isLayerXattr } from './xattr-policy.ts';

const SPECIAL_BITS = 0o7000;

/** What the directory says that a new file in it inherits. */
export interface Surroundings {
  /** Group of the directory: the group of new files where it is setgid (or mounted `grpid`). */
  readonly gid: number;
  /** True when a new directory in it would inherit setgid. */
  readonly isSetgid: boolean;
}

/** Sets owner, mode, attributes and times as a layer wants them, sparing the calls that would change nothing. */
export class AttributeWriter {
  readonly hasSystemCalls: boolean = isAvailable();
  readonly #keepOwners: boolean;
  readonly #uid: number = process.geteuid?.() ?? -1;
  readonly #gid: number = process.getegid?.() ?? -1;
  /** Bits that a mode given to open or mkdir may lose. */
  readonly #uncertainBits: number;
  skippedXattrs = 0;

  /** @param root the target directory, whose default ACL, if it has one, changes what modes come out */
  constructor(keepOwners: boolean, root: PathLike) {
    this.#keepOwners = keepOwners;
    const hasDefaultAcl = !this.hasSystemCalls || getXattr(root, 'system.posix_acl_default') !== undefined;
    this.#uncertainBits = hasDefaultAcl ? 0o777 : readUmask();
  }

  /** True when we may do anything to directories whatever their mode. */
  get isRoot(): boolean {
    return this.#uid === 0;
  }

  /** Without owners kept, setuid would lend the caller's identity to whoever runs the file. */
  modeOf(entry: Pick<TarEntry, 'mode' | 'type'>): number {
    if (this.#keepOwners || entry.type === 'directory') return entry.mode;
    return entry.mode & ~0o6000;
  }

  /** True when creating with this mode gives exactly this mode. */
  isModeCertain(mode: number): boolean {
    return (mode & (SPECIAL_BITS | this.#uncertainBits)) === 0;
  }

  /** True when what we create in `surroundings` belongs to someone else than the layer says. */
  needsOwner(entry: Pick<TarEntry, 'uid' | 'gid'>, surroundings: Surroundings): boolean {
    if (!this.#keepOwners) return false;
    return entry.uid !== this.#uid || entry.gid !== this.#gid || surroundings.gid !== this.#gid;
  }

  /** Everything on a regular file just created by us with `modeOf(entry)`. The owner goes first: changing it clears setuid and capabilities. */
  finishFile(fd: number, entry: TarEntry, surroundings: Surroundings): void {
    const mode = this.modeOf(entry);
    if (this.needsOwner(entry, surroundings)) fchownSync(fd, entry.uid, entry.gid);
    if (!this.isModeCertain(mode)) fchmodSync(fd, mode);
    if (entry.xattrs !== undefined) this.setXattrs(fd, entry.xattrs);
    if (this.hasSystemCalls) setTimesNs(fd, entry.mtimeNs, entry.mtimeNs);
    else futimesSync(fd, toSeconds(entry.mtimeNs), toSeconds(entry.mtimeNs));
  }

  /** Owner of a path itself; a link is not followed. */
  setOwner(path: PathLike, entry: Pick<TarEntry, 'uid' | 'gid'>): void {
    if (this.#keepOwners) lchownSync(path, entry.uid, entry.gid);
  }

  /** Modification (and access) time of a path itself; a link is not followed. */
  setTimes(path: PathLike, mtimeNs: bigint): void {
    if (this.hasSystemCalls) setTimesNs(path, mtimeNs, mtimeNs);
    else lutimesSync(path, toSeconds(mtimeNs), toSeconds(mtimeNs));
  }

  /** The attributes that layers may carry; others, and those that cannot be set here, are counted. */
  setXattrs(target: PathLike | number, xattrs: ReadonlyMap<string, Buffer>): void {
    for (const [name, value] of xattrs) {
      if (!isLayerXattr(name) || !this.hasSystemCalls) {
        this.skippedXattrs++;
        continue;
      }
      try {
        setXattr(target, name, value);
      } catch (error) {
        if (!this.#isExcusable(error, name)) throw error;
        this.skippedXattrs++;
      }
    }
  }

  /** Takes away the attributes that an existing directory has from the layer below, before its new ones are set. */
  clearXattrs(path: PathLike): void {
    if (!this.hasSystemCalls) return;
    for (const name of listXattrs(path)) {
      if (isLayerXattr(name)) removeXattr(path, name);
    }
  }

  /** The file system knows no attributes; or links and devices cannot have this one; or it takes privilege. */
  #isExcusable(error: unknown, name: string): boolean {
    const code = errorCode(error);
    if (code === 'ENOTSUP' || code === 'EOPNOTSUPP') return true;
    return code === 'EPERM' && (!this.#keepOwners || name.startsWith('user.'));
  }
}

/** The `code` of a system error (`ENOENT`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Seconds for the calls of `fs`, exact to about a microsecond. */
function toSeconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1e6;
}

/** From /proc, as `process.umask()` would set it for a moment to read it, for all threads (DEP0139). */
function readUmask(): number {
  try {
    const text = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    return text === undefined ? 0o777 : Number.parseInt(text, 8);
  } catch {
    return 0o777;
  }
}

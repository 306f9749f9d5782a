import {
  type BigIntStats,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  unlinkSync,
} from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { mknod, setXattr } from '@boxwright/sys';
import type { ByteString } from '../bytes.ts';
import { type AttributeWriter, errorCode } from './attributes.ts';
import { DIRECTORY_FLAGS, DirectoryChain, type OpenDirectory, openDirectory } from './directory-chain.ts';
import { type ExistingDirectory, findExisting } from './find-existing.ts';
import { notADirectory, overLimit, tooManyLinks } from './layer-errors.ts';
import { baseName, childPath, MAX_LINKS, parentPath, ROOT_PATH } from './layer-path.ts';
import { childOf, O_PATH, type Removal, removeContent, removeTree } from './remove-tree.ts';
import type { DirectoryAttributes, UnpackLimits, UnpackOptions } from './unpack-options.ts';
import { opaqueXattr } from './xattr-policy.ts';

/** What an engine gives a directory that nothing describes. */
const PLAIN_DIRECTORY: DirectoryAttributes = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n };

/** What is left to do to a directory when all its content is there. */
interface Finish {
  readonly mtimeNs: bigint;
  /** Only when it had to be something else meanwhile. */
  readonly mode?: number | undefined;
}

/**
 * The directories of the target, entered one component at a time from the root, each opened with `O_NOFOLLOW` inside
 * the one before (threats U1, U2). The chain of open directories is kept for the next entry, which mostly is a neighbour.
 *
 * A symlink on the way is followed inside the root when this layer made it; one of a lower layer gives way to
 * a directory, as it does in an overlay mount.
 */
export class TargetDirectories {
  readonly #attributes: AttributeWriter;
  readonly #options: UnpackOptions;
  readonly #limits: UnpackLimits;
  readonly #chain: DirectoryChain;
  readonly #finish = new Map<ByteString, Finish>();
  readonly #implied = new Set<ByteString>([ROOT_PATH]);
  /** With `apply`: the paths that this layer has, as the target also holds those of lower layers. */
  readonly #made: Set<ByteString> | undefined;
  /** With `overlay`: names whited out, by directory. */
  readonly #whiteouts = new Map<ByteString, Set<string>>();
  /** With `overlay`: directories that hide what is below them. */
  readonly #opaque = new Set<ByteString>();
  #count = 0;

  /** @throws BoxwrightError `LAYER_TARGET_NOT_EMPTY`; errors of the file system when `target` is no directory */
  constructor(target: string, options: UnpackOptions, limits: UnpackLimits, attributes: AttributeWriter) {
    this.#attributes = attributes;
    this.#options = options;
    this.#limits = limits;
    this.#made = options.whiteouts === 'apply' ? new Set() : undefined;
    this.#chain = new DirectoryChain(openSync(target, O_PATH | constants.O_DIRECTORY), limits.depth);
    try {
      const { top } = this.#chain;
      if (this.#made === undefined && readdirSync(top.prefix).length > 0) throw notEmpty(target);
      this.#found(lstatSync(`${top.prefix}.`, { bigint: true }));
    } catch (error) {
      this.#chain.close();
      throw error;
    }
  }

  /** Directories without an entry of their own. */
  get implied(): readonly ByteString[] {
    return [...this.#implied];
  }

  /** The directory that `path` leads to, made (and those above it) where there is none. Valid until the next call. */
  enter(path: ByteString): OpenDirectory {
    const chain = this.#chain;
    if (chain.top.path === path) return chain.top;
    chain.popTo(path);
    const pending = chain.pendingTo(path);
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        chain.pop();
        continue;
      }
      const target = this.#step(name);
      if (target === undefined) continue;
      if (++links > MAX_LINKS) throw tooManyLinks(path);
      if (target.startsWith('/')) chain.root();
      for (const part of target.split('/').reverse()) pending.push(part);
    }
    return chain.top;
  }

  /** The directory at `path` if it is there, nothing made; links of this layer are followed. The chain stays where it is. */
  findExisting(path: ByteString): ExistingDirectory | undefined {
    const { top } = this.#chain;
    if (top.path === path) return { path, prefix: top.prefix, close: () => undefined };
    return findExisting(this.#chain.rootFd, path, (target, step) => this.#linkOfOurs(target, step));
  }

  /** Makes `name` in `parent` (which is what {@link enter} gave) a directory with these attributes, and enters it. */
  make(parent: OpenDirectory, name: string, attributes: DirectoryAttributes): void {
    this.#make(parent, name, attributes, true);
    this.#implied.delete(this.#chain.top.path);
  }

  /** Gives the root the attributes of its entry. */
  makeRoot(attributes: DirectoryAttributes): void {
    this.#implied.delete(ROOT_PATH);
    this.#chain.root();
    this.#describeTop(attributes, true);
  }

  /** Notes that this layer has `path`, which is no directory. */
  madeEntry(path: ByteString): void {
    this.#made?.add(path);
  }

  /** True when what is at `path` came with this layer. */
  isOurs(path: ByteString, isWhiteout: boolean): boolean {
    return this.#made === undefined ? !isWhiteout : this.#made.has(path);
  }

  /** Removes what is in the way of a new entry. */
  clear(parent: OpenDirectory, name: string): void {
    removeTree(parent.prefix, name, childPath(parent.path, name), {
      keeps: () => false,
      removed: (path) => this.#forget(path),
    });
  }

  /** With `apply`: removes what lower layers have at `name` of `parent`, but nothing of this layer. */
  removeLower(parent: OpenDirectory, name: string): void {
    removeTree(parent.prefix, name, childPath(parent.path, name), this.#lowerRemoval());
  }

  /** With `apply`: removes what lower layers have in `directory`, but nothing of this layer. */
  removeLowerContent(directory: OpenDirectory): void {
    removeContent(directory.prefix, directory.path, this.#lowerRemoval());
  }

  /** With `overlay`: hides `name` of `parent` in lower layers; what this layer has there stays. */
  addWhiteout(parent: OpenDirectory, name: string): void {
    const names = this.#whiteouts.get(parent.path);
    if (names === undefined) this.#whiteouts.set(parent.path, new Set([name]));
    else names.add(name);
    const place = childOf(parent.prefix, name);
    try {
      mknod(place, constants.S_IFCHR);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      // The layer has it anew, or says the same twice: only a directory would let lower layers show through.
      if (lstatSync(place).isDirectory()) this.#setOpaque(place);
    }
  }

  /** With `overlay`: makes a directory hide what lower layers have in it. */
  makeOpaque(directory: OpenDirectory): void {
    this.#opaque.add(directory.path);
    this.#setOpaque(`${directory.prefix}.`);
  }

  /** Counts something that was made; throws `LAYER_LIMIT`. */
  countEntry(): void {
    if (++this.#count > this.#limits.entries) throw overLimit('entries', this.#limits.entries);
  }

  /** Sets the times (and modes) of directories, deepest first, now that nothing will change them any more. */
  finish(): void {
    const chain = this.#chain;
    if (this.#made === undefined) {
      this.#dropIdleWhiteouts();
      this.#describeImplied();
    }
    for (const path of [...this.#finish.keys()].sort().reverse()) {
      const finish = this.#finish.get(path);
      // What was replaced by something else since has nothing to be finished.
      if (finish === undefined || !chain.enterReal(path)) continue;
      const { fd, prefix } = chain.top;
      this.#attributes.setTimes(`${prefix}.`, finish.mtimeNs);
      if (finish.mode !== undefined) chmodSync(`/proc/self/fd/${fd}`, finish.mode);
    }
  }

  /** Closes all descriptors. */
  close(): void {
    this.#chain.close();
  }

  /** Enters `name`, or answers the target of the link that it is, when it is one of this layer. */
  #step(name: string): string | undefined {
    const parent = this.#chain.top;
    const path = childPath(parent.path, name);
    const place = childOf(parent.prefix, name);
    const fd = openDirectory(place);
    if (fd !== undefined) {
      this.#found(this.#chain.push(path, fd));
      return undefined;
    }
    const link = this.#linkOfOurs(place, path);
    if (link !== undefined) return link;
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats !== undefined && this.isOurs(path, stats.isCharacterDevice() && stats.rdev === 0)) {
      throw notADirectory(path, 'no directory');
    }
    this.#make(parent, name, PLAIN_DIRECTORY, false);
    this.#implied.add(path);
    return undefined;
  }

  #linkOfOurs(place: string | Buffer, path: ByteString): string | undefined {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() !== true || !this.isOurs(path, false)) return undefined;
    return readlinkSync(place, 'latin1');
  }

  #make(parent: OpenDirectory, name: string, attributes: DirectoryAttributes, isExplicit: boolean): void {
    const path = childPath(parent.path, name);
    const place = childOf(parent.prefix, name);
    const mode = this.#workingMode(attributes.mode) & 0o777;
    let isNew = tryMkdir(place, mode);
    let fd = openDirectory(place);
    if (fd === undefined) {
      this.clear(parent, name);
      mkdirSync(place, mode);
      isNew = true;
      fd = openSync(place, DIRECTORY_FLAGS);
    }
    if (isNew && !isExplicit) this.countEntry();
    this.#chain.push(path, fd);
    const isHidden = isNew && this.#whiteouts.get(parent.path)?.has(name) === true;
    if (isHidden) this.#setOpaque(`${this.#chain.top.prefix}.`);
    if (isNew || isExplicit) this.#describeTop(attributes, !isNew);
  }

  /** Owner, mode and attributes now, times at the end. */
  #describeTop(attributes: DirectoryAttributes, isExisting: boolean): void {
    const { path, fd, prefix } = this.#chain.top;
    const writer = this.#attributes;
    const self = `${prefix}.`;
    const surroundings = isExisting ? undefined : this.#chain.aboveTop;
    if (surroundings === undefined || writer.needsOwner(attributes, surroundings)) writer.setOwner(self, attributes);
    const mode = this.#workingMode(attributes.mode);
    const isCertain = surroundings !== undefined && !surroundings.isSetgid && writer.isModeCertain(mode);
    if (!isCertain) chmodSync(`/proc/self/fd/${fd}`, mode);
    if (isExisting) writer.clearXattrs(self);
    if (attributes.xattrs !== undefined) writer.setXattrs(self, attributes.xattrs);
    this.#finish.set(path, {
      mtimeNs: attributes.mtimeNs,
      mode: mode === attributes.mode ? undefined : attributes.mode,
    });
    this.#made?.add(path);
    this.#chain.refresh();
  }

  /** Without root, the owner's own bits decide whether content can be made: they wait until it is. */
  #workingMode(mode: number): number {
    return this.#attributes.isRoot ? mode : mode | 0o700;
  }

  /** The top was there already: what a lower layer said of it has to stay, also its time. */
  #found(stats: BigIntStats): void {
    const { path, fd } = this.#chain.top;
    const mode = Number(stats.mode & 0o7777n);
    if (this.#made !== undefined && !this.#made.has(path)) {
      this.#made.add(path);
      this.#implied.add(path);
      this.#finish.set(path, { mtimeNs: stats.mtimeNs });
    }
    const working = this.#workingMode(mode);
    if (working === mode) return;
    chmodSync(`/proc/self/fd/${fd}`, working);
    this.#finish.set(path, { mtimeNs: this.#finish.get(path)?.mtimeNs ?? stats.mtimeNs, mode });
  }

  /** Only now is it known what of the lower layers is hidden, and cannot lend its attributes. */
  #describeImplied(): void {
    for (const path of this.#implied) {
      const lower = this.#isHidden(path) ? undefined : this.#options.impliedDirectory?.(path);
      const isDirectory = lower?.type === 'directory';
      if (!isDirectory && path !== ROOT_PATH) continue;
      if (this.#chain.enterReal(path)) this.#describeTop(isDirectory ? lower : PLAIN_DIRECTORY, true);
    }
  }

  /**
   * Whiteouts in a directory that hides its lower ones anyway. They change nothing but would be listed: overlayfs
   * takes whiteouts out of the listing of directories only that it merges.
   */
  #dropIdleWhiteouts(): void {
    for (const [path, names] of this.#whiteouts) {
      if (!this.#opaque.has(path) && !this.#isHidden(path)) continue;
      if (path === ROOT_PATH || !this.#chain.enterReal(path)) continue;
      for (const name of names) {
        const place = childOf(this.#chain.top.prefix, name);
        const stats = lstatSync(place, { throwIfNoEntry: false });
        if (stats?.isCharacterDevice() === true && stats.rdev === 0) unlinkSync(place);
      }
    }
  }

  #isHidden(path: ByteString): boolean {
    for (let at = path; at !== ROOT_PATH; at = parentPath(at)) {
      const parent = parentPath(at);
      if (this.#opaque.has(parent) || this.#whiteouts.get(parent)?.has(baseName(at)) === true) return true;
    }
    return false;
  }

  #setOpaque(place: string | Buffer): void {
    setXattr(place, opaqueXattr(this.#options.overlayXattr ?? 'trusted'), Buffer.from('y'));
  }

  #forget(path: ByteString): void {
    this.#opaque.delete(path);
    this.#finish.delete(path);
    this.#implied.delete(path);
    this.#made?.delete(path);
    this.#whiteouts.delete(path);
  }

  #lowerRemoval(): Removal {
    return {
      keeps: (path) => this.#made?.has(path) === true,
      // Its metadata was the lower layer's, which is hidden now.
      kept: (path, prefix) => {
        if (!this.#implied.has(path)) return;
        this.#attributes.clearXattrs(`${prefix}.`);
        this.#attributes.setOwner(`${prefix}.`, PLAIN_DIRECTORY);
        chmodSync(`${prefix}.`, PLAIN_DIRECTORY.mode);
        this.#finish.set(path, { mtimeNs: PLAIN_DIRECTORY.mtimeNs });
      },
    };
  }
}

function tryMkdir(path: string | Buffer, mode: number): boolean {
  try {
    mkdirSync(path, mode);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function notEmpty(target: string): BoxwrightError {
  return new BoxwrightError('LAYER_TARGET_NOT_EMPTY', `${JSON.stringify(target)} is not empty`, {
    hint: 'A diff directory holds one layer only: unpack into a new directory.',
  });
}

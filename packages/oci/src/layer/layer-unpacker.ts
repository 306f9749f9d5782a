import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { mknod } from '@boxwright/sys';
import { type ByteString, toFsPath } from '../bytes.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { TarHandler } from '../tar/tar-reader.ts';
import { type AttributeWriter, errorCode } from './attributes.ts';
import type { OpenDirectory } from './directory-chain.ts';
import { invalidLink, notADirectory, overLimit, unpackError } from './layer-errors.ts';
import { baseName, childPath, displayPath, layerPath, parentPath, ROOT_PATH } from './layer-path.ts';
import { childOf, O_PATH } from './remove-tree.ts';
import type { TargetDirectories } from './target-directories.ts';
import type { UnpackLimits, UnpackOptions } from './unpack-options.ts';
import { parseWhiteout, type Whiteout } from './whiteout.ts';

const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A regular file whose content is coming. */
interface OpenFile {
  readonly entry: TarEntry;
  readonly fd: number;
  readonly parent: OpenDirectory;
  /** Where the next content goes: holes are left out. */
  position: number;
  /** Content written up to here; what is beyond is a hole so far. */
  written: number;
}

/** Puts the entries of a layer into the target as the tar reader finds them. */
export class LayerUnpacker implements TarHandler {
  readonly #directories: TargetDirectories;
  readonly #attributes: AttributeWriter;
  readonly #options: UnpackOptions;
  readonly #limits: UnpackLimits;
  #path: ByteString = ROOT_PATH;
  #file: OpenFile | undefined;
  /** Where device nodes were left out. */
  readonly #skipped = new Set<ByteString>();
  entries = 0;
  bytes = 0;
  skippedDevices = 0;
  opaqueRoot = false;

  constructor(
    directories: TargetDirectories,
    attributes: AttributeWriter,
    options: UnpackOptions,
    limits: UnpackLimits,
  ) {
    this.#directories = directories;
    this.#attributes = attributes;
    this.#options = options;
    this.#limits = limits;
  }

  entry(entry: TarEntry): void {
    this.#path = entry.path;
    try {
      const path = layerPath(entry.path);
      this.#path = path;
      const whiteout = parseWhiteout(path);
      if (whiteout?.kind === 'ignored') return;
      this.entries++;
      this.#directories.countEntry();
      if (whiteout !== undefined) this.#whiteout(whiteout);
      else if (path === '') this.#root(entry);
      else this.#place(path, entry);
    } catch (error) {
      throw unpackError(this.#path, error);
    }
  }

  data(chunk: Buffer): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      for (let done = 0; done < chunk.length; ) {
        const count = writeSync(file.fd, chunk, done, chunk.length - done, file.position);
        done += count;
        file.position += count;
      }
      file.written = file.position;
    } catch (error) {
      throw unpackError(this.#path, error);
    }
  }

  hole(length: number): void {
    if (this.#file !== undefined) this.#file.position += length;
  }

  endEntry(): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      if (file.position > file.written) ftruncateSync(file.fd, file.position);
      this.#attributes.finishFile(file.fd, file.entry, file.parent);
    } catch (error) {
      throw unpackError(this.#path, error);
    } finally {
      this.close();
    }
  }

  /** Closes the file that was being written, if there is one. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #root(entry: TarEntry): void {
    if (entry.type !== 'directory') throw notADirectory(ROOT_PATH, `a ${entry.type}`);
    this.#directories.makeRoot(entry);
  }

  #place(path: ByteString, entry: TarEntry): void {
    const name = baseName(path);
    const parent = this.#directories.enter(parentPath(path));
    if (this.#skipped.size > 0) this.#skipped.delete(childPath(parent.path, name));
    switch (entry.type) {
      case 'directory':
        this.#directories.make(parent, name, entry);
        return;
      case 'file':
        this.#createFile(parent, name, entry);
        break;
      case 'symlink':
        this.#createSymlink(parent, name, entry);
        break;
      case 'hardlink':
        this.#createHardlink(parent, name, entry);
        return;
      case 'char':
      case 'block':
        if (!this.#createsDevice(entry)) return this.#skipDevice(parent, name);
        this.#createNode(parent, name, entry);
        break;
      case 'fifo':
        this.#createNode(parent, name, entry);
    }
    this.#directories.madeEntry(childPath(parent.path, name));
  }

  #createFile(parent: OpenDirectory, name: string, entry: TarEntry): void {
    this.bytes += entry.size;
    if (this.bytes > this.#limits.bytes) throw overLimit('bytes', this.#limits.bytes);
    const mode = this.#attributes.modeOf(entry);
    // Nobody else gets to see what is not complete and does not have its owner yet.
    const isFinal = this.#attributes.isModeCertain(mode) && !this.#attributes.needsOwner(entry, parent);
    const place = childOf(parent.prefix, name);
    const fd = this.#replacing(parent, name, () => openSync(place, CREATE_FLAGS, isFinal ? mode : 0o600));
    this.#file = { entry, fd, parent, position: 0, written: 0 };
    if (!isFinal && this.#attributes.isModeCertain(mode)) fchmodSync(fd, mode);
  }

  #createSymlink(parent: OpenDirectory, name: string, entry: TarEntry): void {
    const target = entry.linkName ?? ROOT_PATH;
    if (target === '' || target.includes('\0')) throw invalidLink(this.#path, 'is a symlink without a lawful target');
    const place = childOf(parent.prefix, name);
    this.#replacing(parent, name, () => symlinkSync(toFsPath(target), place));
    this.#finishSpecial(place, parent, entry);
  }

  #createHardlink(parent: OpenDirectory, name: string, entry: TarEntry): void {
    const wanted = layerPath(entry.linkName ?? ROOT_PATH);
    if (wanted === '') throw invalidLink(this.#path, 'is a hard link to the root');
    const path = childPath(parent.path, name);
    const targetParent = this.#directories.findExisting(parentPath(wanted));
    if (targetParent === undefined) throw missingTarget(this.#path, wanted);
    try {
      const target = childPath(targetParent.path, baseName(wanted));
      if (this.#skipped.has(target)) return this.#skipDevice(parent, name);
      const source = childOf(targetParent.prefix, baseName(wanted));
      const stats = lstatSync(source, { throwIfNoEntry: false });
      const isWhiteout = stats?.isCharacterDevice() === true && stats.rdev === 0;
      if (stats === undefined || !this.#directories.isOurs(target, isWhiteout)) throw missingTarget(this.#path, wanted);
      if (stats.isDirectory()) throw invalidLink(this.#path, `is a hard link to the directory ${displayPath(wanted)}`);
      if (target.startsWith(`${path}/`)) throw invalidLink(this.#path, `replaces the directory that its target is in`);
      if (target === path) return;
      // link(2) takes a symlink for itself: nothing is followed here.
      this.#replacing(parent, name, () => linkSync(source, childOf(parent.prefix, name)));
      this.#directories.madeEntry(path);
    } finally {
      targetParent.close();
    }
  }

  #createsDevice(entry: TarEntry): boolean {
    const isWhiteout = entry.type === 'char' && (entry.devMajor ?? 0) === 0 && (entry.devMinor ?? 0) === 0;
    if (isWhiteout && this.#options.whiteouts === 'overlay') {
      throw refusedDevice(this.#path, 'is a character device 0:0, which overlayfs takes for a whiteout');
    }
    if (this.#options.devices === 'refuse') throw refusedDevice(this.#path, 'is a device node');
    if (this.#options.devices === 'create') return true;
    return false;
  }

  /** What the device would have replaced is gone all the same; further names of it are left out too. */
  #skipDevice(parent: OpenDirectory, name: string): void {
    this.skippedDevices++;
    this.#directories.clear(parent, name);
    this.#skipped.add(childPath(parent.path, name));
  }

  #createNode(parent: OpenDirectory, name: string, entry: TarEntry): void {
    const place = childOf(parent.prefix, name);
    const type = { char: constants.S_IFCHR, block: constants.S_IFBLK, fifo: constants.S_IFIFO }[
      entry.type === 'char' || entry.type === 'block' ? entry.type : 'fifo'
    ];
    const device = entry.type === 'fifo' ? undefined : { major: entry.devMajor ?? 0, minor: entry.devMinor ?? 0 };
    this.#replacing(parent, name, () => mknod(place, type | 0o600, device));
    this.#finishSpecial(place, parent, entry);
  }

  /** Owner, mode, attributes and times of what cannot be opened for writing. Nothing is followed. */
  #finishSpecial(place: string | Buffer, parent: OpenDirectory, entry: TarEntry): void {
    if (this.#attributes.needsOwner(entry, parent)) this.#attributes.setOwner(place, entry);
    if (entry.type !== 'symlink') {
      const fd = openSync(place, O_PATH | constants.O_NOFOLLOW);
      try {
        chmodSync(`/proc/self/fd/${fd}`, this.#attributes.modeOf(entry));
      } finally {
        closeSync(fd);
      }
    }
    if (entry.xattrs !== undefined) this.#attributes.setXattrs(place, entry.xattrs);
    this.#attributes.setTimes(place, entry.mtimeNs);
  }

  #whiteout(whiteout: Exclude<Whiteout, { kind: 'ignored' }>): void {
    const isOverlay = this.#options.whiteouts === 'overlay';
    if (whiteout.kind === 'opaque') {
      const directory = this.#directories.enter(whiteout.path);
      if (directory.path === '') this.opaqueRoot = true;
      if (isOverlay) this.#directories.makeOpaque(directory);
      else this.#directories.removeLowerContent(directory);
      return;
    }
    const parent = this.#directories.enter(parentPath(whiteout.path));
    const name = baseName(whiteout.path);
    if (isOverlay) this.#directories.addWhiteout(parent, name);
    else this.#directories.removeLower(parent, name);
  }

  /** Creates something; what is in its way is removed first. */
  #replacing<T>(parent: OpenDirectory, name: string, create: () => T): T {
    try {
      return create();
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    this.#directories.clear(parent, name);
    return create();
  }
}

function missingTarget(path: ByteString, target: ByteString): BoxwrightError {
  return invalidLink(path, `links to ${displayPath(target)}, which is not in the layer before it`);
}

function refusedDevice(path: ByteString, why: string): BoxwrightError {
  return new BoxwrightError('LAYER_DEVICE_REFUSED', `layer entry ${JSON.stringify(displayPath(path))} ${why}`, {
    hint: 'Device nodes have no place in an image: a runtime makes those that a container needs.',
  });
}

import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { getXattr, isAvailable, listXattrs, splitDevice } from '@boxwright/sys';
import { type ByteString, toByteString, toFsPath } from '../bytes.ts';
import type { TarEntry, TarEntryType } from '../tar/entry.ts';
import type { TarWriter } from '../tar/tar-writer.ts';
import { wholeSeconds } from '../tar/whole-seconds.ts';
import { baseName, displayPath, joinPath, ROOT_PATH } from './layer-path.ts';
import type { PackOptions, PackResult } from './pack-options.ts';
import { opaqueWhiteoutPath, WHITEOUT_PREFIX, whiteoutPath } from './whiteout.ts';
import { isLayerXattr, type OverlayNamespace, opaqueXattr } from './xattr-policy.ts';

/**
 * Writes all that is below `dir` as the entries of a layer; the caller finishes the writer. Synchronous, for worker
 * threads. The order is that of a walk with siblings sorted by their bytes (`/` sorts lowest), so the same directory
 * gives the same tar: hard links refer to the name that comes first, names of owners are left out, and nothing but the
 * content, mode, owner, modification time (whole seconds, as Docker writes it), attributes that layers carry (see {@link isLayerXattr}) counts.
 *
 * With `overlay`, attributes that overlayfs itself keeps are left out, and whiteouts get the time of the directory
 * they are in, as they have none that says anything.
 *
 * @param dir nobody may change it meanwhile; links in it are never followed
 * @throws BoxwrightError `LAYER_NAME_RESERVED` for a file that would be taken for a whiteout, `OVERLAY_REFERENCE` for
 * what only refers to a lower layer, `FILE_CHANGED`, `TAR_WRITE`; errors of the file system
 */
export function packDirectory(dir: string, writer: TarWriter, options: PackOptions = {}): PackResult {
  const packer = new DirectoryPacker(dir, writer, options);
  packer.pack();
  return packer.result;
}

/** A path still to be written, and what its directory says for whiteouts in it. */
interface Pending {
  readonly path: ByteString;
  readonly parentMtimeNs: bigint;
}

class DirectoryPacker {
  readonly #root: ByteString;
  readonly #writer: TarWriter;
  readonly #options: PackOptions;
  readonly #overlay: OverlayNamespace | undefined;
  readonly #keepsXattr: (name: string) => boolean;
  readonly #hasXattrs = isAvailable();
  /** First path of every file with several links, by device and inode. */
  readonly #links = new Map<string, ByteString>();
  #entries = 0;
  #bytes = 0;
  #whiteouts = 0;
  #skippedSockets = 0;

  constructor(dir: string, writer: TarWriter, options: PackOptions) {
    // A trailing slash: should the directory itself be given as a link, it is followed.
    this.#root = toByteString(`${dir}/`);
    this.#writer = writer;
    this.#options = options;
    this.#overlay = options.overlay === false ? undefined : options.overlay;
    this.#keepsXattr = options.keepXattr ?? isLayerXattr;
  }

  get result(): PackResult {
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      whiteouts: this.#whiteouts,
      skippedSockets: this.#skippedSockets,
      hasXattrs: this.#hasXattrs,
    };
  }

  pack(): void {
    const pending: Pending[] = [];
    const stats = lstatSync(this.#place(ROOT_PATH), { bigint: true });
    const xattrs = this.#readXattrs(ROOT_PATH, true);
    if (this.#options.includeRoot === true) this.#writeEntry(this.#describe(ROOT_PATH, 'directory', stats, xattrs));
    this.#enter(ROOT_PATH, stats, xattrs.isOpaque, pending);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) this.#packPath(next, pending);
  }

  #packPath({ path, parentMtimeNs }: Pending, pending: Pending[]): void {
    if (this.#options.skip?.(path) === true) return;
    const stats = lstatSync(this.#place(path), { bigint: true });
    if (this.#overlay !== undefined && stats.isCharacterDevice() && stats.rdev === 0n) {
      this.#writeWhiteout(whiteoutPath(path), parentMtimeNs);
      return;
    }
    if (baseName(path).startsWith(WHITEOUT_PREFIX)) throw reservedName(path);
    const type = typeOf(stats);
    if (type === undefined) {
      this.#skippedSockets++;
      return;
    }
    if (type === 'directory') {
      const xattrs = this.#readXattrs(path, true);
      this.#writeEntry(this.#describe(path, type, stats, xattrs));
      this.#enter(path, stats, xattrs.isOpaque, pending);
      return;
    }
    const first = stats.nlink > 1n ? this.#firstLink(path, stats) : undefined;
    if (first !== undefined) {
      this.#writeEntry({ ...this.#describe(path, 'hardlink', stats, NO_XATTRS), linkName: first });
      return;
    }
    this.#writeEntry(this.#describe(path, type, stats, this.#readXattrs(path, false)));
    if (type === 'file' && stats.size > 0n) this.#writeContent(path, Number(stats.size));
  }

  /** Queues the content of a directory, whose entry has been written. */
  #enter(path: ByteString, stats: BigIntStats, isOpaque: boolean, pending: Pending[]): void {
    const parentMtimeNs = this.#clamp(stats.mtimeNs);
    if (isOpaque) this.#writeWhiteout(opaqueWhiteoutPath(path), parentMtimeNs);
    // latin1 gives the bytes of a name one per code unit, so that the default order is that of bytes.
    const names = readdirSync(this.#place(path), 'latin1').sort();
    for (const name of names.reverse()) pending.push({ path: joinPath(path, name), parentMtimeNs });
  }

  #describe(path: ByteString, type: TarEntryType, stats: BigIntStats, { kept }: Xattrs): TarEntry {
    const entry: TarEntry = {
      path,
      type,
      mode: Number(stats.mode & 0o7777n),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      size: type === 'file' ? Number(stats.size) : 0,
      mtimeNs: this.#clamp(stats.mtimeNs),
    };
    if (type === 'file' && kept === undefined) return entry;
    const device = type === 'char' || type === 'block' ? splitDevice(stats.rdev) : undefined;
    return {
      ...entry,
      // The cast makes the brand: latin1 gives the bytes of the target.
      ...(type === 'symlink' && { linkName: readlinkSync(this.#place(path), 'latin1') as ByteString }),
      ...(device !== undefined && { devMajor: device.major, devMinor: device.minor }),
      ...(kept !== undefined && { xattrs: kept }),
    };
  }

  #writeEntry(entry: TarEntry): void {
    this.#entries++;
    this.#bytes += entry.size;
    this.#writer.writeEntry(entry);
  }

  #writeWhiteout(path: ByteString, mtimeNs: bigint): void {
    this.#whiteouts++;
    this.#writeEntry({ path, type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtimeNs });
  }

  #writeContent(path: ByteString, size: number): void {
    const fd = openSync(this.#place(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      this.#writer.writeFileContent(fd, size);
    } finally {
      closeSync(fd);
    }
  }

  #firstLink(path: ByteString, stats: BigIntStats): ByteString | undefined {
    const inode = `${stats.dev}:${stats.ino}`;
    const first = this.#links.get(inode);
    if (first === undefined) this.#links.set(inode, path);
    return first;
  }

  #readXattrs(path: ByteString, isDirectory: boolean): Xattrs {
    if (!this.#hasXattrs) return NO_XATTRS;
    const place = this.#place(path);
    const names = listXattrs(place);
    if (names.length === 0) return NO_XATTRS;
    const kept = new Map<string, Buffer>();
    // Sorted, as the order in which a file system lists them says nothing.
    for (const name of names.sort()) {
      const value = this.#keepsXattr(name) ? getXattr(place, name) : undefined;
      if (value !== undefined) kept.set(name, value);
    }
    this.#refuseReference(path, names);
    return { kept: kept.size === 0 ? undefined : kept, isOpaque: isDirectory && this.#isOpaque(place, names) };
  }

  #isOpaque(place: string | Buffer, names: readonly string[]): boolean {
    if (this.#overlay === undefined) return false;
    const opaque = opaqueXattr(this.#overlay);
    // The value x marks a directory whose files may be whiteouts, which does not make it opaque.
    return names.includes(opaque) && getXattr(place, opaque)?.toString('latin1') === 'y';
  }

  /** With `redirect_dir` or `metacopy` an upper directory refers to lower layers by attributes: half of it is not here. */
  #refuseReference(path: ByteString, names: readonly string[]): void {
    if (this.#overlay === undefined) return;
    for (const kind of ['redirect', 'metacopy']) {
      if (!names.includes(`${this.#overlay}.overlay.${kind}`)) continue;
      throw new BoxwrightError('OVERLAY_REFERENCE', `${displayPath(path)} is an overlay ${kind}, not a copy`, {
        hint: 'Mount the overlay with redirect_dir=off,metacopy=off.',
      });
    }
  }

  #clamp(mtimeNs: bigint): bigint {
    const { clampMtimeNs } = this.#options;
    return wholeSeconds(clampMtimeNs !== undefined && mtimeNs > clampMtimeNs ? clampMtimeNs : mtimeNs);
  }

  #place(path: ByteString): string | Buffer {
    // The cast keeps the brand: two ByteStrings joined.
    return toFsPath((this.#root + path) as ByteString);
  }
}

interface Xattrs {
  readonly kept: ReadonlyMap<string, Buffer> | undefined;
  readonly isOpaque: boolean;
}

const NO_XATTRS: Xattrs = { kept: undefined, isOpaque: false };

function typeOf(stats: BigIntStats): TarEntryType | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'char';
  if (stats.isBlockDevice()) return 'block';
  return stats.isFIFO() ? 'fifo' : undefined;
}

function reservedName(path: ByteString): BoxwrightError {
  const message = `${JSON.stringify(displayPath(path))} cannot be put into a layer: there it would be taken for a whiteout`;
  return new BoxwrightError('LAYER_NAME_RESERVED', message, {
    hint: `Rename or remove it: names that begin with ${WHITEOUT_PREFIX} hide files of lower layers.`,
  });
}

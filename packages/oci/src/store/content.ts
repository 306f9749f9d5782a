import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digestHex, parseDigest } from '../names/digest.ts';
import { BlobWriter, type FinishedFile } from './blob-writer.ts';
import { bootStamp } from './boot.ts';
import { errorCode, fsyncDirectory, removeFile, unlessMissing } from './files.ts';
import type { SessionUse } from './session.ts';

/** Content is read in pieces of this size. */
const pieceSize = 1024 * 1024;

/** What link(2) answers where there are no hard links: FAT, some FUSE and network file systems. */
const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** In words for messages. */
const nouns = { blob: 'blob', layer: 'unpacked layer' } as const;

/**
 * A directory of files named by the digest of their bytes, `<algorithm>/<hex>`.
 *
 * **Durability.** Content is put in place by rename, which makes it whole for every process of this boot, but after a
 * power cut a file that was never fsynced may be empty or torn. Fsync per file is what slow disks are slow at, and much
 * content (layers of stages that only feed other stages) is never worth it. So each file says itself how far it may be
 * trusted:
 *  - no write permission bits: it was fsynced before they were taken away, so it is whole for good;
 *  - modification time = {@link bootStamp}: written in this boot, so it is whole now;
 *  - anything else: left from an earlier boot or copied here by hand. It is hashed before it is used, and then either
 *    made durable or moved aside.
 * {@link makeDurable} is called for everything that a tag names, before the tag is written.
 */
export class ContentDirectory {
  readonly path: string;
  readonly #kind: 'blob' | 'layer';
  readonly #session: SessionUse;

  constructor(path: string, kind: 'blob' | 'layer', session: SessionUse) {
    this.path = path;
    this.#kind = kind;
    this.#session = session;
  }

  /** Where the content is if it is there at all; nothing is looked up or kept from collection. */
  pathOf(digest: Digest): string {
    // Checked again, although the type says it was: this stands between a hostile document and the file system.
    parseDigest(digest);
    return join(this.path, digestAlgorithm(digest), digestHex(digest));
  }

  /** Bytes of the content when it is here and whole, else undefined. It stays while this store is open. */
  sizeOf(digest: Digest): number | undefined {
    const path = this.pathOf(digest);
    const before = unlessMissing(() => lstatSync(path));
    if (before === undefined) return undefined;
    // Only what is looked at after the lease was written is safe from a collector.
    const stat = this.#session.use(this.#kind, digest) ? unlessMissing(() => lstatSync(path)) : before;
    if (stat === undefined) return undefined;
    return this.#isTrusted(stat) || this.#settle(digest, path) ? stat.size : undefined;
  }

  /** Keeps content from collection while this store is open, whether it is here yet or not. */
  keep(digest: Digest): void {
    this.#session.use(this.#kind, digest);
  }

  /** A descriptor open for reading; the bytes are not checked. @throws BoxwrightError BLOB_MISSING */
  open(digest: Digest): number {
    const fd = this.sizeOf(digest) === undefined ? undefined : openRegular(this.pathOf(digest));
    if (fd === undefined) throw this.missing(digest);
    return fd;
  }

  /**
   * The bytes in pieces, each valid until the next one is asked for. The last one comes only after all of them were
   * checked, so that who has received the whole has the right bytes.
   *
   * @param offset bytes to leave out at the start; they are read and checked all the same
   * @throws BoxwrightError BLOB_MISSING, or BLOB_CORRUPT when digest or size do not match; the file is then moved
   *   aside, so that loading or building again brings it back
   */
  *pieces(digest: Digest, expectedSize?: number, offset = 0): Generator<Buffer, void, undefined> {
    const fd = this.open(digest);
    try {
      const { size } = fstatSync(fd);
      const hash = createHash(digestAlgorithm(digest));
      const buffer = Buffer.allocUnsafe(Math.min(pieceSize, Math.max(1, size)));
      let read = 0;
      for (let count = -1; count !== 0 && read < size; ) {
        count = readSync(fd, buffer, 0, Math.min(buffer.length, size - read), null);
        const piece = buffer.subarray(Math.min(count, Math.max(0, offset - read)), count);
        hash.update(buffer.subarray(0, count));
        read += count;
        if (read === size) this.#check(digest, hash.digest('hex'), fd, size, expectedSize);
        if (piece.length > 0) yield piece;
      }
      if (read < size || size === 0) this.#check(digest, hash.digest('hex'), fd, read, expectedSize);
    } finally {
      closeSync(fd);
    }
  }

  /**
   * The whole content, checked.
   *
   * @throws BoxwrightError BLOB_MISSING, BLOB_CORRUPT, BLOB_TOO_LARGE (more than `maxSize` bytes)
   */
  read(digest: Digest, maxSize: number): Buffer {
    const size = this.sizeOf(digest);
    if (size === undefined) throw this.missing(digest);
    if (size > maxSize) {
      throw new BoxwrightError('BLOB_TOO_LARGE', `${digest} has ${size} bytes, at most ${maxSize} are accepted here`, {
        details: { digest, size, maxSize },
      });
    }
    const pieces: Buffer[] = [];
    for (const piece of this.pieces(digest)) pieces.push(Buffer.from(piece));
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  /** A writer for new content; synchronous, for any thread. */
  create(algorithm: DigestAlgorithm = 'sha256'): BlobWriter {
    return new BlobWriter(this.#session.temporaryPath(this.#kind), algorithm, (written) => this.#adopt(written));
  }

  /** Sees to it that content survives a power cut. @throws BoxwrightError BLOB_MISSING */
  makeDurable(digests: Iterable<Digest>): void {
    const directories = new Set<string>();
    for (const digest of digests) {
      if (this.sizeOf(digest) === undefined) throw this.missing(digest);
      const path = this.pathOf(digest);
      const fd = openRegular(path);
      if (fd === undefined) throw this.missing(digest);
      try {
        if (!isDurable(fstatSync(fd))) makeFileDurable(fd);
      } finally {
        closeSync(fd);
      }
      // Also for a file that is durable itself: its writer may be about to fsync the name.
      directories.add(dirname(path));
    }
    for (const directory of directories) fsyncDirectory(directory);
  }

  /** The error for content that is not here. */
  missing(digest: Digest): BoxwrightError {
    return new BoxwrightError(
      'BLOB_MISSING',
      `${nouns[this.#kind]} ${digest} is not in the store: ${this.pathOf(digest)}`,
      {
        hint: 'build or load the image again',
        details: { digest, path: this.pathOf(digest) },
      },
    );
  }

  /** The error for content that does not have the size that its descriptor gives. */
  otherSize(digest: Digest, size: number, expected: number): BoxwrightError {
    return new BoxwrightError('BLOB_MISMATCH', `${digest} has ${size} bytes, its descriptor says ${expected}`, {
      hint: 'the document that names it is wrong; ask whoever made the image',
      details: { digest, size, expected },
    });
  }

  #check(digest: Digest, hex: string, fd: number, size: number, expectedSize: number | undefined): void {
    if (hex !== digestHex(digest)) throw this.#corrupt(digest, fd, 'its bytes do not match its digest');
    if (expectedSize !== undefined && size !== expectedSize) throw this.otherSize(digest, size, expectedSize);
  }

  /** Puts what a writer wrote under its digest; the writer removes its temporary name. */
  #adopt(written: FinishedFile): void {
    const target = this.pathOf(written.digest);
    this.#session.use(this.#kind, written.digest);
    const stamp = bootStamp();
    if (stamp !== undefined) futimesSync(written.fd, stamp, stamp);
    const durable = written.durable || stamp === undefined;
    if (durable) makeFileDurable(written.fd);
    // Never renamed over what is there: another process may have made that durable and tagged it a moment ago.
    while (!this.#link(written, target)) {
      const existing = unlessMissing(() => lstatSync(target));
      if (existing === undefined) continue;
      if (existing.size === written.size && this.#isTrusted(existing)) break;
      this.#moveAside(target, existing);
    }
    if (durable) this.makeDurable([written.digest]);
  }

  /** Gives a finished file its name; false when the name is taken. */
  #link(written: FinishedFile, target: string): boolean {
    try {
      linkSync(written.path, target);
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EEXIST') return false;
      if (code === 'ENOENT') {
        mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
        linkSync(written.path, target);
        return true;
      }
      if (code === undefined || !withoutLinks.has(code)) throw error;
      // A file system without hard links: replacing is safe as long as the replacement is durable.
      makeFileDurable(written.fd);
      renameSync(written.path, target);
      fsyncDirectory(dirname(target));
      return true;
    }
  }

  #isTrusted(stat: Stats): boolean {
    if (!stat.isFile()) return false;
    return isDurable(stat) || stat.mtimeMs === (bootStamp() ?? Number.NaN) * 1000;
  }

  /** Hashes content of unknown origin: true and durable when it matches, else moved aside and false. */
  #settle(digest: Digest, path: string): boolean {
    const fd = openRegular(path);
    if (fd === undefined) return false;
    try {
      if (hashOf(fd, digestAlgorithm(digest)) !== digestHex(digest)) {
        this.#moveAside(path, fstatSync(fd));
        return false;
      }
      const stamp = bootStamp();
      // On file systems without permission bits the stamp is what saves the next look from hashing again.
      if (stamp !== undefined) futimesSync(fd, stamp, stamp);
      makeFileDurable(fd);
    } catch (error) {
      // Readable but not ours (EPERM), or a read-only disk: it is whole, which is all that was asked.
      if (!['EPERM', 'EACCES', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
    } finally {
      closeSync(fd);
    }
    return true;
  }

  #corrupt(digest: Digest, fd: number, why: string): BoxwrightError {
    const path = this.pathOf(digest);
    const aside = this.#moveAside(path, fstatSync(fd));
    const where = aside === undefined ? '' : `; it was moved to ${aside}`;
    return new BoxwrightError('BLOB_CORRUPT', `${nouns[this.#kind]} ${path} is corrupt: ${why}${where}`, {
      hint: 'check the disk, then build or load the image again; `boxwright prune` removes what was moved aside',
      details: { digest, path, ...(aside === undefined ? {} : { movedTo: aside }) },
    });
  }

  /** Takes bad content out of the way, unless somebody has already put other content in its place. */
  #moveAside(path: string, bad: Stats): string | undefined {
    const aside = join(this.#session.layout.corrupt, `${basename(path)}-${bad.ino}`);
    try {
      renameSync(path, aside);
      const moved = lstatSync(aside);
      if (moved.ino === bad.ino && moved.dev === bad.dev) return aside;
      linkSync(aside, path);
      removeFile(aside);
    } catch {
      // Gone already, replaced again, or a store that cannot be written: the caller reports the corruption itself.
    }
    return undefined;
  }
}

/** Opens a regular file without following a link or waiting for a FIFO; undefined when it is no such thing or missing. */
function openRegular(path: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = unlessMissing(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  } catch (error) {
    if (errorCode(error) === 'ELOOP') return undefined;
    throw error;
  }
  if (fd === undefined || fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  return undefined;
}

function isDurable(stat: Stats): boolean {
  return stat.isFile() && (stat.mode & 0o222) === 0;
}

/** The permission bits say "durable" (see the top), so they change only once the bytes are on the disk. */
function makeFileDurable(fd: number): void {
  fsyncSync(fd);
  fchmodSync(fd, 0o444);
}

function hashOf(fd: number, algorithm: DigestAlgorithm): string {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(pieceSize);
  for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
    hash.update(buffer.subarray(0, count));
  return hash.digest('hex');
}

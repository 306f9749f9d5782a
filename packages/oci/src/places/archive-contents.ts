import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { fromByteString } from '../bytes.ts';
import { documentLimits } from '../documents/limits.ts';
import { type Digest, digestAlgorithm, isDigest } from '../names/digest.ts';
import type { BlobWriter, WrittenContent } from '../store/blob-writer.ts';
import type { ImageStore } from '../store/store.ts';
import type { TarEntry } from '../tar/entry.ts';
import { TarReader } from '../tar/tar-reader.ts';
import { type ArchiveInput, archiveBytes, describeInput } from './archive-input.ts';

/** A file of an archive, kept aside in the store until it is known whether it is wanted. */
export interface ArchivedFile extends WrittenContent {
  /** The whole content of a small file. @throws BoxwrightError DOCUMENT_TOO_LARGE */
  read(limit: number): Buffer;
  /** Makes it a blob of the store. */
  commit(): void;
}

/** Everything of an image archive, read in one pass: manifests come last in most of them, and pipes cannot go back. */
export interface ArchiveContents {
  /** For messages. */
  readonly description: string;
  /** By path, links followed. */
  file(path: string): ArchivedFile | undefined;
  /** By digest: `blobs/<algorithm>/<hex>`. */
  blob(digest: Digest): ArchivedFile | undefined;
  /** Drops what was not committed. */
  discard(): void;
}

/** No image archive has nearly as many files; bounds memory. */
const maxEntries = 100_000;
/** A link to a link to a link: two are seen in the wild. */
const maxLinks = 8;
/** Files of the first archive format that nobody reads any more beside a manifest.json. */
const obsolete = /^(?:[0-9a-f]{64}\/(?:VERSION|json)|repositories)$/;

/**
 * Reads an archive into the store's temporary directory. Blobs under a digest are checked against it; those that the
 * store has already are not written again.
 *
 * @throws BoxwrightError TAR_INVALID, COMPRESSION_INVALID and others of reading; BLOB_MISMATCH; ARCHIVE_INVALID
 */
export async function readArchive(
  store: ImageStore,
  input: ArchiveInput,
  signal?: AbortSignal,
): Promise<ArchiveContents> {
  const collector = new Collector(store, escapeForTerminal(describeInput(input)));
  try {
    const reader = new TarReader({
      entry: (entry) => collector.begin(entry),
      data: (chunk) => collector.data(chunk),
      endEntry: () => collector.end(),
    });
    for await (const piece of archiveBytes(input, signal)) reader.push(piece);
    reader.end();
  } catch (error) {
    collector.discard();
    throw error;
  }
  return collector;
}

class Collector implements ArchiveContents {
  readonly description: string;
  readonly #store: ImageStore;
  readonly #files = new Map<string, ArchivedFile & { discard(): void }>();
  readonly #links = new Map<string, string>();
  #open: { readonly path: string; readonly writer: BlobWriter; readonly expected: Digest | undefined } | undefined;

  constructor(store: ImageStore, description: string) {
    this.#store = store;
    this.description = description;
  }

  begin(entry: TarEntry): void {
    const path = posix.normalize(fromByteString(entry.path));
    if (this.#files.size + this.#links.size > maxEntries) {
      throw new BoxwrightError('ARCHIVE_INVALID', `${this.description} has more than ${maxEntries} files`);
    }
    if (entry.type === 'symlink' || entry.type === 'hardlink') {
      const target = fromByteString(entry.linkName ?? entry.path);
      // Only ever looked up in the map of this archive's own files, so it cannot lead anywhere else.
      this.#files.get(path)?.discard();
      this.#files.delete(path);
      this.#links.set(
        path,
        posix.normalize(entry.type === 'symlink' ? posix.join(posix.dirname(path), target) : target),
      );
      return;
    }
    if (entry.type !== 'file' || obsolete.test(path)) return;
    const expected = digestOfPath(path);
    const size = expected === undefined ? undefined : this.#store.blobSize(expected);
    if (expected !== undefined && size === entry.size) {
      this.#keep(path, storedFile(this.#store, expected, size));
      return;
    }
    const writer = this.#store.createBlob(expected === undefined ? 'sha256' : digestAlgorithm(expected));
    this.#open = { path, writer, expected };
  }

  data(chunk: Uint8Array): void {
    this.#open?.writer.write(chunk);
  }

  end(): void {
    if (this.#open === undefined) return;
    const { path, writer, expected } = this.#open;
    this.#open = undefined;
    const sealed = writer.seal();
    const { digest, size } = sealed;
    if (expected !== undefined && expected !== digest) {
      sealed.discard();
      throw new BoxwrightError(
        'BLOB_MISMATCH',
        `${this.description}: ${escapeForTerminal(path)} has the digest ${digest}`,
        {
          hint: 'the archive is damaged: fetch or make it again',
          details: { expected, digest },
        },
      );
    }
    let state: 'sealed' | 'committed' | 'discarded' = 'sealed';
    this.#keep(path, {
      digest,
      size,
      read: (limit) => {
        checkSize(this.description, path, size, limit);
        return state === 'sealed' ? readFileSync(sealed.path) : this.#store.readBlob(digest, limit);
      },
      commit: () => {
        if (state === 'sealed') sealed.commit();
        state = 'committed';
      },
      discard: () => {
        if (state === 'sealed') sealed.discard();
        state = 'discarded';
      },
    });
  }

  file(path: string): ArchivedFile | undefined {
    let current = posix.normalize(path);
    for (let links = 0; links <= maxLinks; links++) {
      const file = this.#files.get(current);
      if (file !== undefined) return file;
      const target = this.#links.get(current);
      if (target === undefined) return undefined;
      current = target;
    }
    return undefined;
  }

  blob(digest: Digest): ArchivedFile | undefined {
    return this.file(`blobs/${digest.replace(':', '/')}`);
  }

  discard(): void {
    this.#open?.writer.abort();
    this.#open = undefined;
    for (const file of this.#files.values()) file.discard();
  }

  /** Of two files with one name the last counts, as everywhere in tar. */
  #keep(path: string, file: ArchivedFile & { discard(): void }): void {
    this.#files.get(path)?.discard();
    this.#links.delete(path);
    this.#files.set(path, file);
  }
}

function storedFile(store: ImageStore, digest: Digest, size: number): ArchivedFile & { discard(): void } {
  return {
    digest,
    size,
    read: (limit) => store.readBlob(digest, Math.min(limit, documentLimits.configBytes)),
    commit: () => undefined,
    discard: () => undefined,
  };
}

function digestOfPath(path: string): Digest | undefined {
  const match = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path);
  const digest = match === null ? '' : `${match[1]}:${match[2]}`;
  return isDigest(digest) ? digest : undefined;
}

function checkSize(description: string, path: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new BoxwrightError(
    'DOCUMENT_TOO_LARGE',
    `${escapeForTerminal(path)} in ${description} has ${size} bytes, more than ${limit}`,
  );
}

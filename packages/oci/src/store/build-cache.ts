import { createHash } from 'node:crypto';
import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { type Digest, parseDigest } from '../names/digest.ts';
import type { ContentDirectory } from './content.ts';
import { isUnwritable, namesIn, readSmallFile, removeFile, replaceFile, unlessMissing } from './files.ts';
import type { StoreSession } from './session.ts';

/** Plain JSON: what a cache record holds for its user. */
export type CacheValue =
  | string
  | number
  | boolean
  | null
  | readonly CacheValue[]
  | { readonly [key: string]: CacheValue };

/** What a build step made, found again by its key. */
export interface CacheRecord {
  readonly key: string;
  readonly value: CacheValue;
  /** Content that the value speaks of; a record is only given out while all of it is in the store. */
  readonly blobs: readonly Digest[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When it was last given out or written, milliseconds since 1970. */
  readonly usedAt: number;
}

/** Largest record that is written or read. */
const recordLimit = 16 * 1024 * 1024;

/**
 * Records of the build cache, one small file per key. Losing one costs time, not correctness, so they are not
 * fsynced: what is left of one after a power cut either parses as a whole or is a miss.
 */
export class BuildCache {
  readonly #session: StoreSession;
  readonly #blobs: ContentDirectory;

  constructor(session: StoreSession, blobs: ContentDirectory) {
    this.#session = session;
    this.#blobs = blobs;
  }

  /** The record of a key when there is one and all its blobs are here, which then stay while this store is open. */
  get(key: string): CacheRecord | undefined {
    const path = this.#pathOf(key);
    const record = readRecord(path);
    if (record?.key !== key) return undefined;
    if (!record.blobs.every((digest) => this.#blobs.sizeOf(digest) !== undefined)) {
      whereWritable(() => removeFile(path));
      return undefined;
    }
    // For `prune`: the modification time says when the record was last of use.
    whereWritable(() => unlessMissing(() => utimesSync(path, new Date(), new Date())));
    return record;
  }

  /** Writes the record of a key in one step; not in a store that cannot be written. @throws BoxwrightError BLOB_MISSING, CACHE_RECORD_TOO_LARGE */
  put(key: string, value: CacheValue, { blobs }: { readonly blobs: readonly Digest[] }): void {
    for (const digest of blobs) if (this.#blobs.sizeOf(digest) === undefined) throw this.#blobs.missing(digest);
    const text = JSON.stringify({ key, createdAt: Date.now(), blobs, value });
    if (text.length > recordLimit) {
      throw new BoxwrightError(
        'CACHE_RECORD_TOO_LARGE',
        `a cache record has ${text.length} bytes, at most ${recordLimit} fit`,
      );
    }
    const path = this.#pathOf(key);
    whereWritable(() => {
      replaceFile(path, text, { temporary: this.#session.temporaryPath('record'), durable: false });
    });
  }

  /** Forgets a key; false when there was no record. */
  delete(key: string): boolean {
    return removeFile(this.#pathOf(key));
  }

  /** Every record that can be read, with its path; also such that miss their blobs. */
  *list(): Generator<CacheRecord & { readonly path: string }, void, undefined> {
    const root = this.#session.layout.cache;
    for (const folder of namesIn(root)) {
      for (const file of namesIn(join(root, folder))) {
        const path = join(root, folder, file);
        const record = readRecord(path);
        if (record !== undefined) yield { ...record, path };
      }
    }
  }

  #pathOf(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex');
    return join(this.#session.layout.cache, hash.slice(0, 2), `${hash}.json`);
  }
}

/** A record is of use, and nothing goes wrong without it. */
function whereWritable(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isUnwritable(error)) throw error;
  }
}

function readRecord(path: string): CacheRecord | undefined {
  const bytes = readSmallFile(path, recordLimit);
  const stat = unlessMissing(() => statSync(path));
  if (bytes === undefined || stat === undefined) return undefined;
  try {
    // Our own record: what JSON.parse gives for `value` is JSON by construction, the other fields are checked here.
    const { key, value, blobs, createdAt } = JSON.parse(bytes.toString()) as Partial<CacheRecord>;
    if (typeof key !== 'string' || value === undefined || typeof createdAt !== 'number' || !Array.isArray(blobs))
      return undefined;
    const digests = blobs.map((digest) => parseDigest(String(digest)));
    return { key, value, blobs: digests, createdAt, usedAt: stat.mtimeMs };
  } catch {
    return undefined;
  }
}

import { BoxwrightError } from '@boxwright/errors';
import { type BlobWriter, type CacheValue, type Digest, type ImageStore, isDigest, isUnwritable } from '@boxwright/oci';
import { isListing, type ListedEntry, ListingWriter, readListing } from './layer-listing.ts';
import type { LayerFacts } from './layer-pass.ts';
import { type RestartTable, readRestarts } from './restart-table.ts';

/** A listing of a million files has about 100 MB. */
const maxListingBytes = 1024 ** 3;
const maxRestartBytes = 64 * 1024 ** 2;
/** Files up to this size are kept once they have been looked at. */
export const maxKeptFile: number = 1024 ** 2;

/**
 * What was read of layers, kept in the store: records of its cache, and blobs that those name, so that `prune` knows
 * them. A store that cannot be written keeps nothing, and everything works without.
 */
export class KeptReadings {
  readonly #store: ImageStore;

  constructor(store: ImageStore) {
    this.#store = store;
  }

  facts(diffId: Digest): LayerFacts | undefined {
    return factsOf(this.#value(`layer-facts 1 ${diffId}`));
  }

  keepFacts(diffId: Digest, facts: LayerFacts): void {
    this.#put(`layer-facts 1 ${diffId}`, { ...facts }, []);
  }

  /** @param needsDigests only one that has the digests of all contents */
  listing(diffId: Digest, needsDigests: boolean): KeptListing | undefined {
    for (const hasDigests of needsDigests ? [true] : [true, false]) {
      const bytes = this.#blob(listingKey(diffId, hasDigests), maxListingBytes);
      if (bytes !== undefined && isListing(bytes)) return { entries: readListing(bytes), hasDigests };
    }
    return undefined;
  }

  /** Takes a listing while it is made; undefined where the store cannot be written. */
  writeListing(diffId: Digest, hasDigests: boolean): ListingSink | undefined {
    let blob: BlobWriter | undefined;
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        blob?.abort();
        blob = undefined;
        if (!isUnwritable(error)) throw error;
      }
    };
    attempt(() => {
      blob = this.#store.createBlob();
    });
    if (blob === undefined) return undefined;
    const writer = new ListingWriter((bytes) => attempt(() => blob?.write(bytes)));
    return {
      add: (entry) => writer.add(entry),
      keep: () => {
        writer.end();
        attempt(() => {
          const digest = blob?.commit().digest;
          blob = undefined;
          if (digest !== undefined) this.#put(listingKey(diffId, hasDigests), digest, [digest]);
        });
      },
      drop: () => {
        blob?.abort();
        blob = undefined;
      },
    };
  }

  /** @param digest of the blob, not the diffID: the same layer may be compressed in several ways */
  restarts(digest: Digest): RestartTable | undefined {
    const bytes = this.#blob(`layer-restarts 1 ${digest}`, maxRestartBytes);
    return bytes === undefined ? undefined : readRestarts(bytes);
  }

  /** @param table what `RestartWriter` made */
  keepRestarts(digest: Digest, table: Buffer): void {
    this.#putBlob(`layer-restarts 1 ${digest}`, table);
  }

  /** The content of a small file, by its SHA-256 in hexadecimal. */
  file(sha256: string, size: number): Buffer | undefined {
    const digest = `sha256:${sha256}`;
    if (!isDigest(digest) || size > maxKeptFile) return undefined;
    // The record keeps the blob from being collected, and says that it is here for this.
    return this.#blob(`layer-file 1 ${sha256}`, maxKeptFile);
  }

  keepFile(sha256: string, content: Buffer): void {
    if (content.length <= maxKeptFile) this.#putBlob(`layer-file 1 ${sha256}`, content);
  }

  #value(key: string): CacheValue | undefined {
    return this.#store.cache.get(key)?.value;
  }

  #blob(key: string, limit: number): Buffer | undefined {
    const digest = this.#value(key);
    if (typeof digest !== 'string' || !isDigest(digest)) return undefined;
    try {
      return this.#store.readBlob(digest, limit);
    } catch (error) {
      // Collected or damaged meanwhile: it can be made again.
      if (error instanceof BoxwrightError && error.code.startsWith('BLOB_')) return undefined;
      throw error;
    }
  }

  #putBlob(key: string, bytes: Buffer): void {
    try {
      const blob = this.#store.createBlob();
      blob.write(bytes);
      const { digest } = blob.commit();
      this.#put(key, digest, [digest]);
    } catch (error) {
      if (!isUnwritable(error)) throw error;
    }
  }

  #put(key: string, value: CacheValue, blobs: readonly Digest[]): void {
    this.#store.cache.put(key, value, { blobs });
  }
}

/** A listing that an earlier look has kept. */
export interface KeptListing {
  /** To be gone through once. */
  readonly entries: Iterable<ListedEntry>;
  readonly hasDigests: boolean;
}

function listingKey(diffId: Digest, hasDigests: boolean): string {
  return hasDigests ? `layer-listing 2 digests ${diffId}` : `layer-listing 2 ${diffId}`;
}

/** Where a listing goes while a layer is read. Ends with `keep` or `drop`. */
export interface ListingSink {
  add(entry: ListedEntry): void;
  /** The layer was what its diffID says. */
  keep(): void;
  drop(): void;
}

/** The record as it was kept; undefined for one that another version wrote. */
function factsOf(value: CacheValue | undefined): LayerFacts | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [size, danglingHardLinks, entries, tarSize] = ['size', 'danglingHardLinks', 'entries', 'tarSize'].map(
    (name) => {
      const found = fields.get(name);
      return typeof found === 'number' ? found : undefined;
    },
  );
  if (size === undefined || danglingHardLinks === undefined || entries === undefined || tarSize === undefined)
    return undefined;
  return { size, danglingHardLinks, entries, tarSize };
}

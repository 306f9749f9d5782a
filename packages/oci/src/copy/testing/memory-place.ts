import { BoxwrightError } from '@boxwright/errors';
import { type Descriptor, verifyBytes } from '../../documents/descriptor.ts';
import { parseManifestOrIndex } from '../../documents/manifest.ts';
import { isIndexType, isManifestType } from '../../documents/media-types.ts';
import { type Digest, digestOf } from '../../names/digest.ts';
import { parseReference } from '../../names/reference.ts';
import type { ImageDestination, ImageSource, PlacedImage, ReadBlobOptions } from '../../places/place.ts';
import { type RepositoryName, repositoryKey } from '../../registry/repository-name.ts';
import type { BlobContent, BlobReceipt } from '../../registry/upload/upload.ts';

/** For tests: a repository in memory that behaves as one of a registry does, and writes down what it is asked for. */
export class MemoryRepository implements ImageSource, ImageDestination {
  readonly description: string;
  readonly repository: RepositoryName;
  readonly takesPartialIndexes: boolean = false;
  readonly concurrency: number;
  readonly blobs = new Map<Digest, Buffer>();
  readonly manifests = new Map<Digest, { readonly mediaType: string; readonly bytes: Buffer }>();
  readonly tags = new Map<string, Digest>();
  /** One line per request, as a registry would see it. */
  readonly requests: string[] = [];
  /** Repositories that blobs can be mounted from. */
  readonly neighbours = new Map<string, MemoryRepository>();
  /** Longest piece of content; pieces are one buffer that is used again and again. */
  pieceSize = 1000;
  /** Blobs written at the moment, and the most there ever were. */
  writing = 0;
  mostWriting = 0;
  /** Bytes held of content that was not written yet: must not grow with it. */
  finished = false;

  constructor(path: string, concurrency = 3) {
    this.repository = { registry: 'registry.test', path };
    this.description = `registry ${repositoryKey(this.repository)}`;
    this.concurrency = concurrency;
  }

  /** Puts a blob, for setting up. */
  put(bytes: Uint8Array): { digest: Digest; size: number } {
    const digest = digestOf(bytes);
    this.blobs.set(digest, Buffer.from(bytes));
    return { digest, size: bytes.length };
  }

  /** Puts a manifest or index, for setting up. */
  putManifest(bytes: Buffer, mediaType: string, tag?: string): Descriptor {
    const digest = digestOf(bytes);
    this.manifests.set(digest, { mediaType, bytes });
    if (tag !== undefined) this.tags.set(tag, digest);
    return { mediaType, digest, size: bytes.length };
  }

  async has({ digest, size, mediaType }: Descriptor): Promise<boolean> {
    this.requests.push(`HEAD ${isDocument(mediaType) ? 'manifest' : 'blob'}`);
    const bytes = isDocument(mediaType) ? this.manifests.get(digest)?.bytes : this.blobs.get(digest);
    return bytes?.length === size;
  }

  async resolve(name: string): Promise<Descriptor | undefined> {
    this.requests.push('HEAD tag');
    const digest = this.tags.get(tagOf(name));
    const manifest = digest === undefined ? undefined : this.manifests.get(digest);
    if (digest === undefined || manifest === undefined) return undefined;
    return { mediaType: manifest.mediaType, digest, size: manifest.bytes.length };
  }

  async readDocument({ digest, mediaType }: Descriptor): Promise<Buffer> {
    this.requests.push(`GET ${isDocument(mediaType) ? 'manifest' : 'config'}`);
    const bytes = isDocument(mediaType) ? this.manifests.get(digest)?.bytes : this.blobs.get(digest);
    if (bytes === undefined) throw missing(this, digest);
    return Buffer.from(bytes);
  }

  async *readBlob(descriptor: Descriptor, { offset = 0, signal }: ReadBlobOptions = {}): AsyncIterable<Uint8Array> {
    this.requests.push('GET blob');
    const bytes = this.blobs.get(descriptor.digest);
    if (bytes === undefined) throw missing(this, descriptor.digest);
    const piece = Buffer.alloc(this.pieceSize);
    for (let at = offset; at < bytes.length; at += piece.length) {
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      if (at + piece.length >= bytes.length) verifyBytes(bytes, descriptor);
      yield piece.subarray(0, bytes.copy(piece, 0, at));
    }
  }

  async referrers(subject: Descriptor): Promise<readonly Descriptor[]> {
    this.requests.push('GET referrers');
    return [...this.manifests].flatMap(([digest, { bytes, mediaType }]) => {
      const { subject: own } = parseManifestOrIndex(bytes);
      return own?.digest === subject.digest ? [{ digest, mediaType, size: bytes.length }] : [];
    });
  }

  async mountBlob({ digest }: Descriptor, from: RepositoryName): Promise<boolean> {
    this.requests.push('POST mount');
    const bytes = this.neighbours.get(repositoryKey(from))?.blobs.get(digest);
    if (bytes !== undefined) this.blobs.set(digest, bytes);
    return bytes !== undefined;
  }

  async writeBlob(
    descriptor: Descriptor,
    content: BlobContent,
    onBytes?: (count: number) => void,
  ): Promise<BlobReceipt> {
    const bytes = await this.#gather(content, onBytes);
    verifyBytes(bytes, descriptor);
    return this.#receipt(bytes);
  }

  async writeStream(_key: string, content: BlobContent, onBytes?: (count: number) => void): Promise<BlobReceipt> {
    return this.#receipt(await this.#gather(content, onBytes));
  }

  async writeManifest({ mediaType }: Descriptor, bytes: Buffer): Promise<void> {
    this.requests.push('PUT manifest');
    this.#check(bytes);
    this.putManifest(bytes, mediaType);
  }

  async place({ descriptor, names }: PlacedImage, bytes: Buffer): Promise<void> {
    if (names.length === 0) return await this.writeManifest(descriptor, bytes);
    for (const name of names) {
      this.requests.push('PUT tag');
      this.#check(bytes);
      this.putManifest(bytes, descriptor.mediaType, tagOf(name));
    }
  }

  async finish(): Promise<void> {
    this.finished = true;
  }

  async abort(): Promise<void> {}

  /** As registries do: what a manifest names has to be there before. */
  #check(bytes: Buffer): void {
    const document = parseManifestOrIndex(bytes);
    const parts = document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
    for (const { digest, urls } of parts) {
      const there = document.kind === 'index' ? this.manifests.has(digest) : this.blobs.has(digest);
      const partial = document.kind === 'index' && this.takesPartialIndexes;
      if (!there && !partial && urls === undefined) throw new BoxwrightError('REGISTRY_REFUSED', `lacks ${digest}`);
    }
  }

  async #gather(content: BlobContent, onBytes: ((count: number) => void) | undefined): Promise<Buffer> {
    this.requests.push('PUT blob');
    this.writing++;
    this.mostWriting = Math.max(this.mostWriting, this.writing);
    try {
      const pieces: Buffer[] = [];
      for await (const piece of content(0)) {
        pieces.push(Buffer.from(piece));
        onBytes?.(piece.length);
      }
      return Buffer.concat(pieces);
    } finally {
      this.writing--;
    }
  }

  #receipt(bytes: Buffer): BlobReceipt {
    return { ...this.put(bytes), sent: bytes.length, tries: 1, resumedAt: 0 };
  }
}

function isDocument(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function tagOf(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : (parseReference(name).tag ?? 'latest');
}

function missing(place: MemoryRepository, digest: Digest): BoxwrightError {
  return new BoxwrightError('BLOB_MISSING', `${place.description} lacks ${digest}`, { details: { digest } });
}

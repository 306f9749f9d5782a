import type { Descriptor } from '../documents/descriptor.ts';
import type { Digest, DigestAlgorithm } from '../names/digest.ts';
import { hostPlatform, type Platform } from '../names/platform.ts';
import type { BlobWriter } from './blob-writer.ts';
import { BuildCache } from './build-cache.ts';
import { CacheMounts } from './cache-mounts.ts';
import { collect, type GcOptions, type GcReport } from './collect.ts';
import { ContentDirectory } from './content.ts';
import { Image } from './image.ts';
import { LayerTars } from './layer-tar.ts';
import { openLayout } from './layout.ts';
import { completeContent, reach } from './reachable.ts';
import { type ScratchFile, type ScratchFolder, scratchFile } from './scratch-file.ts';
import { selectManifest } from './select-platform.ts';
import { StoreSession } from './session.ts';
import { SnapshotDirectory } from './snapshots.ts';
import { type StoredTag, TagDirectory } from './tags.ts';

/**
 * Images, layers, snapshots and build cache on this machine. Any number of processes and threads may have the same
 * store open, be killed at any moment, and collect garbage meanwhile. Opening is cheap: one small file is read.
 *
 * What one open store has looked at or written stays until it is closed (or its process ends), whatever other
 * processes remove.
 */
export class ImageStore {
  /** Absolute path. */
  readonly root: string;
  /** Records of finished build steps. */
  readonly cache: BuildCache;
  /** Unpacked layers. */
  readonly snapshots: SnapshotDirectory;
  /** Directories of `RUN --mount=type=cache`. */
  readonly cacheMounts: CacheMounts;
  readonly #session: StoreSession;
  readonly #layerTars: LayerTars;
  readonly #blobs: ContentDirectory;
  readonly #tags: TagDirectory;

  private constructor(session: StoreSession) {
    this.#session = session;
    this.root = session.layout.root;
    this.#blobs = new ContentDirectory(session.layout.blobs, 'blob', session);
    this.#tags = new TagDirectory(session);
    this.cache = new BuildCache(session, this.#blobs);
    this.cacheMounts = new CacheMounts(session);
    this.#layerTars = new LayerTars(this.#blobs, new ContentDirectory(session.layout.layers, 'layer', session));
    this.snapshots = new SnapshotDirectory(session);
  }

  /**
   * Opens the store in a directory, made when it is not there.
   *
   * @throws BoxwrightError STORE_UNUSABLE, STORE_VERSION
   */
  static open(root: string): ImageStore {
    return new ImageStore(new StoreSession(openLayout(root)));
  }

  /** Where a blob is when it is here; ask {@link hasBlob} first. */
  blobPath(digest: Digest): string {
    return this.#blobs.pathOf(digest);
  }

  /** True when the blob is here and whole; it then stays while this store is open. */
  hasBlob(digest: Digest): boolean {
    return this.#blobs.sizeOf(digest) !== undefined;
  }

  /** Bytes of a blob that is here, else undefined. */
  blobSize(digest: Digest): number | undefined {
    return this.#blobs.sizeOf(digest);
  }

  /** A writer for a new blob. */
  createBlob(algorithm: DigestAlgorithm = 'sha256'): BlobWriter {
    return this.#blobs.create(algorithm);
  }

  /** A small blob's bytes, checked. @throws BoxwrightError BLOB_MISSING, BLOB_CORRUPT, BLOB_TOO_LARGE */
  readBlob(digest: Digest, maxSize: number): Buffer {
    return this.#blobs.read(digest, maxSize);
  }

  /** Any blob's bytes in pieces, checked before the last one: see {@link ContentDirectory.pieces}. */
  blobPieces(digest: Digest, expectedSize?: number, offset?: number): Generator<Buffer, void, undefined> {
    return this.#blobs.pieces(digest, expectedSize, offset);
  }

  /** A descriptor for reading a blob, to be closed by the caller; the bytes are not checked. @throws BoxwrightError BLOB_MISSING */
  openBlob(digest: Digest): number {
    return this.#blobs.open(digest);
  }

  /**
   * Gives an image or index a name, replacing what had it. From the return on, name and content survive a power cut.
   *
   * @param name canonical reference with a tag
   * @throws BoxwrightError BLOB_MISSING and others of {@link completeContent}: only what is complete gets a name
   */
  tag(name: string, descriptor: Descriptor): void {
    this.#blobs.makeDurable(completeContent(this.#blobs, descriptor));
    this.#tags.set(name, descriptor);
  }

  /** What a name (canonical reference) stands for. */
  resolve(name: string): Descriptor | undefined {
    return this.#tags.get(name)?.descriptor;
  }

  /** Takes a name away; false when there was none. The image's content stays until {@link gc}. */
  untag(name: string): boolean {
    return this.#tags.delete(name);
  }

  /** All names, sorted. */
  listTags(): StoredTag[] {
    return this.#tags.list();
  }

  /**
   * One image: of an index, the one for the platform (default: this machine's).
   *
   * @throws BoxwrightError PLATFORM_MISSING and others of {@link selectManifest}, when it is an index
   */
  image(descriptor: Descriptor, platform: Platform = hostPlatform()): Image {
    return new Image(this.#blobs, selectManifest(this.#blobs, descriptor, platform));
  }

  /** Path of a layer's uncompressed tar, if the store has it already. */
  layerTarPresent(diffId: Digest): string | undefined {
    return this.#layerTars.present(diffId);
  }

  /** Path of a layer's uncompressed tar, expanded and checked the first time: see {@link LayerTars.path}. */
  layerTar(layer: Descriptor, diffId: Digest, signal?: AbortSignal): Promise<string> {
    return this.#layerTars.path(layer, diffId, signal);
  }

  /** A layer's uncompressed tar in pieces, checked at the end; each is valid until the next one is asked for. */
  layerPieces(layer: Descriptor, diffId: Digest, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    return this.#layerTars.pieces(layer, diffId, signal);
  }

  /**
   * Removes what no tag, no kept cache record and no running process needs.
   *
   * @throws BoxwrightError STORE_BUSY when another collection does not end; the signal's reason
   */
  gc(options: GcOptions = {}): Promise<GcReport> {
    const { cache, cacheMounts } = this;
    // Through an observer: reading the images that are kept must not keep them for the next collection.
    const blobs = new ContentDirectory(this.#session.layout.blobs, 'blob', this.#session.observer());
    const tagged = () => this.listTags().map((tag) => tag.descriptor);
    const reachable = () => reach(blobs, tagged());
    return collect({ session: this.#session, cache, cacheMounts, reachable }, options);
  }

  /** A path for unfinished work on the store's file system, removed when this store is closed or its process is gone. */
  temporaryPath(label = 'work'): string {
    return this.#session.temporaryPath(label);
  }

  /** A named file that can be made again: see {@link ScratchFile}. */
  file(folder: ScratchFolder, name: string): ScratchFile {
    return scratchFile(this.#session, folder, name);
  }

  /** Removes this store's temporary files and lets others collect what it used. */
  close(): void {
    this.#session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

import type { Descriptor } from '../documents/descriptor.ts';
import type { RepositoryName } from '../registry/repository-name.ts';
import type { BlobContent, BlobReceipt } from '../registry/upload/upload.ts';

/** Something at the top of a place: an image or index, and what it is called there. */
export interface PlacedImage {
  readonly descriptor: Descriptor;
  /** Canonical references that it has there: with domain, path and tag. */
  readonly names: readonly string[];
  /** OCI `org.opencontainers.image.ref.name` that is no reference, often just a tag. */
  readonly refName?: string;
}

/** Where images are read from. Nobody asks which kind it is. */
export interface ImageSource {
  /** For messages: `OCI layout ./dir`. */
  readonly description: string;
  /** True when the content can be read here: an index may name more than there is. */
  has(descriptor: Descriptor): Promise<boolean>;
  /**
   * A manifest, index or config: bytes that match the descriptor's digest and size.
   *
   * @throws BoxwrightError BLOB_MISSING, BLOB_MISMATCH or BLOB_CORRUPT, DOCUMENT_TOO_LARGE
   */
  readDocument(descriptor: Descriptor): Promise<Buffer>;
  /**
   * Content of any size, from `offset` on (default 0), checked while it is read. The last piece comes only after all
   * bytes, those before the offset included, were found to be those of the descriptor: a destination that has received
   * the whole may commit it. Each piece is valid until the next one is asked for.
   *
   * @throws BoxwrightError as {@link readDocument}
   */
  readBlob(descriptor: Descriptor, options?: ReadBlobOptions): AsyncIterable<Uint8Array>;
  /**
   * What a name of this place stands for; undefined when there is none. Absent where names are not looked up.
   *
   * @param name a tag, or a canonical reference as in {@link PlacedImage.names}
   */
  resolve?(name: string): Promise<Descriptor | undefined>;
  /** Manifests whose `subject` is this one (OCI distribution-spec, referrers). Absent where nobody can tell. */
  referrers?(subject: Descriptor): Promise<readonly Descriptor[]>;
  /** Where blobs may be mounted from, by a destination in the same registry. */
  readonly repository?: RepositoryName;
  /** Further repositories that were seen to have a blob. Absent where nobody takes notes. */
  repositoriesOf?(blob: Descriptor): readonly RepositoryName[];
  /** Notes for {@link repositoriesOf} that a repository has the blob. */
  noteRepository?(blob: Descriptor, repository: RepositoryName): void;
}

/** How to read a blob. */
export interface ReadBlobOptions {
  /** Bytes to leave out at the start. */
  readonly offset?: number;
  readonly signal?: AbortSignal;
}

/** Where images are written to: content first, then the documents that name it, names last. */
export interface ImageDestination {
  /** For messages. */
  readonly description: string;
  /** True when an index may be stored although parts of it are missing. */
  readonly takesPartialIndexes: boolean;
  /** True where no index can be kept: of one, the image for one platform is taken. */
  readonly takesOneImage?: boolean;
  /** Blobs and manifests; for a manifest: it is there, and so is all that it names. */
  has(descriptor: Descriptor): Promise<boolean>;
  /**
   * What a name of this place stands for now. Absent where names are not looked up, or where {@link has} costs nothing.
   *
   * @param name a tag, or a canonical reference as in {@link PlacedImage.names}
   */
  resolve?(name: string): Promise<Descriptor | undefined>;
  /** A manifest or index that is here, where reading it is cheaper than asking the source; undefined when it is not. */
  localDocument?(descriptor: Descriptor): Promise<Buffer | undefined>;
  /** Takes a blob over from another repository of the same registry; false when that is not possible. */
  mountBlob?(descriptor: Descriptor, from: RepositoryName): Promise<boolean>;
  /**
   * Stores content, checked against the descriptor before it becomes visible.
   *
   * @param signal ends this one write, also where it waits for another try
   * @throws BoxwrightError BLOB_MISMATCH; the signal's reason
   */
  writeBlob(
    descriptor: Descriptor,
    content: BlobContent,
    onBytes?: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<BlobReceipt | undefined>;
  /**
   * Stores content whose digest is known only afterwards (compressed on its way), without keeping it here. Absent where
   * the digest has to be known first.
   *
   * @param key names the content across runs; the same key always means the same bytes
   */
  writeStream?(
    key: string,
    content: BlobContent,
    onBytes?: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<BlobReceipt>;
  /** Stores a manifest or index that is part of something; all that it names has been written before. */
  writeManifest(descriptor: Descriptor, bytes: Buffer): Promise<void>;
  /** Stores the manifest or index at the top and puts it under its names; all that it names has been written before. */
  place(image: PlacedImage, bytes: Buffer): Promise<void>;
  /** Makes everything visible and durable. Nothing else is called after it. */
  finish(): Promise<void>;
  /** Drops what {@link finish} would have made visible. */
  abort(): Promise<void>;
  /** Where it writes to, in a registry: for names of its own tags, and to see which mounts are possible. */
  readonly repository?: RepositoryName;
  /** Notes that a repository has the blob, which may be mounted from there another time: {@link ImageSource.repositoriesOf}. */
  noteRepository?(blob: Descriptor, repository: RepositoryName): void;
  /** Blobs that may be written at the same time; 1 where everything goes into one file. */
  readonly concurrency: number;
}

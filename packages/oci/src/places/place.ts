import type { Descriptor } from '../documents/descriptor.ts';

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
   * Content of any size, checked while it is read: the iteration throws at its end when the bytes are not those of the
   * descriptor, so nothing may be used before. Each piece is valid until the next one is asked for.
   *
   * @throws BoxwrightError as {@link readDocument}
   */
  readBlob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
}

/** Where images are written to: content first, then the documents that name it, names last. */
export interface ImageDestination {
  /** For messages. */
  readonly description: string;
  /** True when an index may be stored although parts of it are missing. */
  readonly takesPartialIndexes: boolean;
  has(descriptor: Descriptor): Promise<boolean>;
  /** Stores content, checked against the descriptor before it becomes visible. @throws BoxwrightError BLOB_MISMATCH */
  writeBlob(descriptor: Descriptor, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Stores a manifest or index; all that it names has been written before. */
  writeManifest(descriptor: Descriptor, bytes: Buffer): Promise<void>;
  /** Puts a manifest or index at the top, under names as far as it has some. */
  place(image: PlacedImage): Promise<void>;
  /** Makes everything visible and durable. Nothing else is called after it. */
  finish(): Promise<void>;
  /** Drops what {@link finish} would have made visible. */
  abort(): Promise<void>;
}

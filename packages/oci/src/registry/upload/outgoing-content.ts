import type { Descriptor } from '../../documents/descriptor.ts';
import type { Digest } from '../../names/digest.ts';
import type { ContentReader } from './content-reader.ts';
import { contentMismatch } from './upload-errors.ts';
import type { OutgoingBytes } from './upload-session.ts';

/** A part of the content to be sent. */
export interface Chunk extends OutgoingBytes {
  /** Where in the blob it ends, once it has been sent. */
  end(): number;
  /** Digest of everything up to the end of this chunk, once it has been sent; undefined when nothing is hashed. */
  prefix(): Digest | undefined;
}

/** Content, cut into what one request takes. */
export interface OutgoingContent {
  /** Bytes of the whole, when that is known beforehand. */
  readonly size: number | undefined;
  /** How much one request takes, unless the registry wants more or allows less. */
  readonly chunkBytes: number;
  /** What comes at `offset`, at most `limit` bytes; undefined when there is nothing more. */
  chunk(offset: number, limit: number): Promise<Chunk | undefined>;
  /** Set once the content could not be read or was found wrong: what the registry says then is a consequence. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Digest of the first `offset` bytes, which are read for it; undefined when nothing is hashed. */
  prefix(offset: number): Promise<Digest | undefined>;
  /**
   * To be called when the registry has the whole: reads what has not been read, and checks.
   *
   * @throws BoxwrightError BLOB_MISMATCH
   */
  verify(): Promise<{ readonly digest: Digest; readonly size: number }>;
}

/**
 * What one request takes when the content is streamed, in bytes: what is lost when it is interrupted. Distribution 2.8
 * ends each with an fsync; 1 GiB to it, in chunks of 4, 8, 16, 32, 64, 1024 MiB: 7.7, 6.2, 4.7, 4.3, 4.2, 4.2 s.
 */
export const streamedChunkBytes: number = 32 * 1024 * 1024;

/** A blob whose descriptor is known: streamed, nothing of it is kept. */
export class DescribedContent implements OutgoingContent {
  readonly size: number;
  readonly chunkBytes: number;
  readonly #descriptor: Descriptor;
  readonly #reader: ContentReader;
  #mismatch: { readonly error: unknown } | undefined;

  constructor(descriptor: Descriptor, reader: ContentReader, chunkBytes: number) {
    this.chunkBytes = chunkBytes;
    this.#descriptor = descriptor;
    this.#reader = reader;
    this.size = descriptor.size;
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#mismatch ?? this.#reader.failure;
  }

  async chunk(offset: number, limit: number): Promise<Chunk | undefined> {
    const size = Math.min(limit, this.size - offset);
    if (size <= 0) return undefined;
    return {
      offset,
      size,
      end: () => offset + size,
      body: () => this.#body(offset, size),
      prefix: () => (this.#reader.position === offset + size ? this.#reader.digest() : undefined),
    };
  }

  async prefix(offset: number): Promise<Digest | undefined> {
    // Content that is checked where it comes from would have to be read for nothing.
    if (!this.#reader.hashes) return undefined;
    await this.#seek(offset);
    return this.#reader.digest();
  }

  async verify(): Promise<{ readonly digest: Digest; readonly size: number }> {
    await this.#seek(this.size);
    this.#checkDigest();
    if ((await this.#reader.next(1)) !== undefined) {
      throw this.#wrong({ size: `more than ${this.size}` });
    }
    return this.#descriptor;
  }

  /** The last piece of the blob goes out only when the whole is known to be right (threats R2). */
  async *#body(offset: number, size: number): AsyncGenerator<Uint8Array> {
    const end = offset + size;
    let position = offset;
    for await (const piece of this.#reader.read(offset, end)) {
      position += piece.length;
      if (position === this.size) this.#checkDigest();
      yield piece;
    }
    if (position < end) throw this.#tooShort();
  }

  async #seek(offset: number): Promise<void> {
    if (!(await this.#reader.seek(offset))) throw this.#tooShort();
  }

  #checkDigest(): void {
    const actual = this.#reader.digest();
    if (actual !== undefined && actual !== this.#descriptor.digest) {
      throw this.#wrong({ digest: actual });
    }
  }

  #tooShort(): Error {
    return this.#wrong({ size: `${this.#reader.position}` });
  }

  #wrong(actual: Parameters<typeof contentMismatch>[1]): Error {
    const error = contentMismatch(this.#descriptor, actual);
    this.#mismatch = { error };
    return error;
  }
}

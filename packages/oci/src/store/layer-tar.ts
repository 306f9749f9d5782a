import { BoxwrightError } from '@boxwright/errors';
import { decompress } from '../compress/decompress.ts';
import { detectCompression } from '../compress/detect-compression.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { type Digest, digestAlgorithm } from '../names/digest.ts';
import type { ContentDirectory } from './content.ts';

/** Uncompressed layers, each made once per diffID and shared by everyone. */
export class LayerTars {
  readonly #blobs: ContentDirectory;
  readonly #layers: ContentDirectory;
  readonly #running = new Map<Digest, Promise<string>>();

  constructor(blobs: ContentDirectory, layers: ContentDirectory) {
    this.#blobs = blobs;
    this.#layers = layers;
  }

  /** Path of a layer's uncompressed tar if there is one. */
  present(diffId: Digest): string | undefined {
    // Built layers are stored as they are; so are those that were built here and pulled back compressed.
    if (this.#blobs.sizeOf(diffId) !== undefined) return this.#blobs.pathOf(diffId);
    if (this.#layers.sizeOf(diffId) !== undefined) return this.#layers.pathOf(diffId);
    return undefined;
  }

  /**
   * Path of the layer's uncompressed tar: the blob itself, or a copy that is made and checked now, the first time.
   *
   * @throws BoxwrightError BLOB_MISSING; BLOB_CORRUPT; LAYER_INVALID when it does not expand to its diffID or is
   *   compressed in a way that layers may not be; COMPRESSION_INVALID, COMPRESSION_LIMIT; the signal's reason
   */
  async path(descriptor: Descriptor, diffId: Digest, signal?: AbortSignal): Promise<string> {
    const present = this.present(diffId);
    if (present !== undefined) return present;
    const running = this.#running.get(diffId);
    if (running !== undefined) return await running;
    const expanding = this.#expand(descriptor, diffId, signal).finally(() => this.#running.delete(diffId));
    this.#running.set(diffId, expanding);
    return await expanding;
  }

  /** The bytes of a layer's uncompressed tar in pieces, checked at the end. @throws BoxwrightError as {@link path} */
  async *pieces(descriptor: Descriptor, diffId: Digest, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    await this.path(descriptor, diffId, signal);
    const content = this.#blobs.sizeOf(diffId) === undefined ? this.#layers : this.#blobs;
    for (const piece of content.pieces(diffId)) {
      signal?.throwIfAborted();
      yield piece;
    }
  }

  async #expand(descriptor: Descriptor, diffId: Digest, signal: AbortSignal | undefined): Promise<string> {
    const pieces = this.#blobs.pieces(descriptor.digest, descriptor.size);
    const first = pieces.next();
    const start = first.done === true ? Buffer.alloc(0) : first.value;
    const kind = detectCompression(start);
    if (kind === 'xz' || kind === 'bzip2') {
      pieces.return();
      throw notForLayers(descriptor, kind);
    }
    const writer = this.#layers.create(digestAlgorithm(diffId));
    try {
      const source = chain(start, pieces);
      for await (const chunk of decompress(source, kind, { compressedSize: descriptor.size })) {
        signal?.throwIfAborted();
        writer.write(chunk);
      }
    } catch (error) {
      writer.abort();
      throw error;
    }
    try {
      writer.commit({ digest: diffId });
    } catch (error) {
      if (!(error instanceof BoxwrightError) || error.code !== 'BLOB_MISMATCH') throw error;
      throw new BoxwrightError(
        'LAYER_INVALID',
        `layer ${descriptor.digest} does not expand to its diffID: ${error.message}`,
        {
          hint: 'the image was put together wrongly; ask whoever made it',
          cause: error,
          details: { digest: descriptor.digest, diffId },
        },
      );
    }
    return this.#layers.pathOf(diffId);
  }
}

/** The error for a layer that is compressed in a way that layers may not be. */
export function notForLayers({ digest }: Descriptor, compression: string): BoxwrightError {
  return new BoxwrightError('LAYER_INVALID', `layer ${digest} is compressed with ${compression}`, {
    hint: 'layers are plain, gzip or zstd (OCI image-spec layer.md); make the image again',
  });
}

/** Async, because that is what decompressors take; the pieces come from a file without waiting. */
async function* chain(first: Uint8Array, rest: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  // The reader's buffer is used again for each piece, while decompressors may hold on to theirs.
  yield Buffer.from(first);
  for (const piece of rest) yield Buffer.from(piece);
}

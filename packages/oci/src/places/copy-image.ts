import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { type ImageManifest, parseManifestOrIndex } from '../documents/manifest.ts';
import { isForeignLayerType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import type { LayerEncoder, OutgoingLayer } from './compress-layers.ts';
import { rewriteDocument } from './image-rewriter.ts';
import type { ImageDestination, ImageSource, PlacedImage } from './place.ts';

/** What a copy tells about itself. */
export interface CopyProgress {
  readonly descriptor: Descriptor;
  /** `exists`: it was there already. */
  readonly state: 'started' | 'finished' | 'exists';
}

/** How to copy. */
export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Changes layers on their way, for example {@link gzipLayers}; documents that name them are written anew then. */
  readonly encodeLayer?: LayerEncoder | undefined;
}

/**
 * Copies an image or index with all that it names, byte for byte, so that every digest stays what it is (unless layers
 * are encoded anew), and places it under its names. The caller ends with the destination's `finish` or `abort`.
 *
 * Order: content, manifests, indexes, name. Content that the destination has is not read.
 *
 * @returns what was placed
 * @throws BoxwrightError IMAGE_INVALID (nested too deep, too many parts), BLOB_MISSING and what source and destination
 *   throw; the signal's reason
 */
export async function copyImage(
  source: ImageSource,
  image: PlacedImage,
  destination: ImageDestination,
  options: CopyOptions = {},
): Promise<PlacedImage> {
  const { descriptor, bytes } = await new Copy(source, destination, options).document(image.descriptor, 0);
  options.signal?.throwIfAborted();
  const placed = { ...image, descriptor };
  await destination.place(placed, bytes);
  return placed;
}

class Copy {
  readonly #source: ImageSource;
  readonly #destination: ImageDestination;
  readonly #options: CopyOptions;
  /** What each descriptor is at the destination; itself, unless it was changed on the way. */
  readonly #done = new Map<Digest, Descriptor>();
  readonly #changes = new Map<Digest, Descriptor>();

  constructor(source: ImageSource, destination: ImageDestination, options: CopyOptions) {
    this.#source = source;
    this.#destination = destination;
    this.#options = options;
  }

  /** A manifest or index and everything below it. The depth is bounded, so this may recurse. */
  async tree(descriptor: Descriptor, depth: number): Promise<Descriptor> {
    this.#options.signal?.throwIfAborted();
    const done = this.#done.get(descriptor.digest);
    if (done !== undefined) return done;
    const rewritten = await this.document(descriptor, depth);
    await this.#destination.writeManifest(rewritten.descriptor, rewritten.bytes);
    this.#finish(descriptor, rewritten.descriptor);
    return rewritten.descriptor;
  }

  /** Everything below a manifest or index, and what it is then itself. */
  async document(descriptor: Descriptor, depth: number): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    if (depth > documentLimits.indexDepth + 1 || this.#done.size > documentLimits.indexEntries) {
      throw new BoxwrightError(
        'IMAGE_INVALID',
        `${descriptor.digest} in ${this.#source.description} is nested too deep or has too many parts`,
      );
    }
    const bytes = await this.#source.readDocument(descriptor);
    const document = parseManifestOrIndex(bytes, { descriptor });
    if (document.kind === 'manifest') await this.#parts(document);
    else await this.#entries(descriptor, document.manifests, depth);
    return rewriteDocument(descriptor, document, this.#changes) ?? { descriptor, bytes };
  }

  async #entries(index: Descriptor, manifests: readonly Descriptor[], depth: number): Promise<void> {
    let present = 0;
    for (const entry of manifests) {
      if (await this.#source.has(entry)) {
        await this.tree(entry, depth + 1);
        present++;
      } else if (!this.#destination.takesPartialIndexes) {
        throw new BoxwrightError(
          'BLOB_MISSING',
          `${this.#source.description} has only a part of index ${index.digest}: ${entry.digest} is missing`,
          { hint: 'copy one platform instead of the index', details: { digest: entry.digest, index: index.digest } },
        );
      }
    }
    if (present === 0 && manifests.length > 0) {
      throw new BoxwrightError(
        'BLOB_MISSING',
        `${this.#source.description} has none of the images of index ${index.digest}`,
        {
          details: { digest: index.digest },
        },
      );
    }
  }

  async #parts(manifest: ImageManifest): Promise<void> {
    for (const descriptor of [manifest.config, ...manifest.layers]) {
      this.#options.signal?.throwIfAborted();
      if (this.#done.has(descriptor.digest)) continue;
      const encoded = await this.#encode(descriptor, manifest);
      try {
        await this.#blob(
          encoded?.descriptor ?? descriptor,
          () => encoded?.content() ?? this.#source.readBlob(descriptor),
        );
      } finally {
        encoded?.release();
      }
      this.#finish(descriptor, encoded?.descriptor ?? descriptor);
    }
  }

  async #encode(descriptor: Descriptor, manifest: ImageManifest): Promise<OutgoingLayer | undefined> {
    if (this.#options.encodeLayer === undefined || descriptor === manifest.config) return undefined;
    if (mayBeAbsent(descriptor) && !(await this.#source.has(descriptor))) return undefined;
    return await this.#options.encodeLayer(descriptor, () => this.#source.readBlob(descriptor));
  }

  #finish(from: Descriptor, to: Descriptor): void {
    this.#done.set(from.digest, to);
    if (to.digest !== from.digest) this.#changes.set(from.digest, to);
  }

  async #blob(descriptor: Descriptor, content: () => AsyncIterable<Uint8Array>): Promise<void> {
    const report = (state: CopyProgress['state']): void => this.#options.onProgress?.({ descriptor, state });
    if (await this.#destination.has(descriptor)) return report('exists');
    if (mayBeAbsent(descriptor) && !(await this.#source.has(descriptor))) return;
    report('started');
    try {
      await this.#destination.writeBlob(descriptor, content);
    } catch (error) {
      if (!(error instanceof BoxwrightError) || error.code !== 'BLOB_MISMATCH') throw error;
      // Name the place: the descriptor alone does not say where the wrong bytes came from.
      throw new BoxwrightError(error.code, `${escapeForTerminal(this.#source.description)}: ${error.message}`, {
        hint: error.hint,
        cause: error,
        details: error.details,
      });
    }
    report('finished');
  }
}

/** Windows base layers, and others that say where else they are. */
function mayBeAbsent({ mediaType, urls }: Descriptor): boolean {
  return isForeignLayerType(mediaType) || urls !== undefined;
}

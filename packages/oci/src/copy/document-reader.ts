import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { verifyBytes } from '../documents/descriptor.ts';
import { type ImageIndex, type ImageManifest, parseManifestOrIndex } from '../documents/manifest.ts';
import { isIndexType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import type { ImageDestination, ImageSource } from '../places/place.ts';

/** Indexes are read when choosing and again when copying: so many bytes of them are kept between. */
const keptBytes = 16 * 1024 * 1024;

/** Reads documents where that is cheapest: at a destination that has them on this machine, else at the source. */
export class DocumentReader {
  readonly #source: ImageSource;
  readonly #destination: Pick<ImageDestination, 'localDocument'>;
  readonly #kept = new Map<Digest, Buffer>();
  #size = 0;

  constructor(source: ImageSource, destination: Pick<ImageDestination, 'localDocument'> = {}) {
    this.#source = source;
    this.#destination = destination;
  }

  /** The bytes, checked. @throws BoxwrightError BLOB_MISSING and others of reading */
  async bytes(descriptor: Descriptor): Promise<Buffer> {
    const kept = this.#kept.get(descriptor.digest);
    if (kept !== undefined) return kept;
    const bytes =
      (await this.#destination.localDocument?.(descriptor)) ?? (await this.#source.readDocument(descriptor));
    verifyBytes(bytes, descriptor);
    if (isIndexType(descriptor.mediaType) && this.#size + bytes.length <= keptBytes) {
      this.#kept.set(descriptor.digest, bytes);
      this.#size += bytes.length;
    }
    return bytes;
  }

  /** A manifest or index. @throws BoxwrightError as {@link bytes} and {@link parseManifestOrIndex} */
  async document(descriptor: Descriptor): Promise<ImageManifest | ImageIndex> {
    return parseManifestOrIndex(await this.bytes(descriptor), { mediaType: descriptor.mediaType });
  }

  /** As {@link document}, but undefined for what the source lacks: an index may name more than there is. */
  async optionalDocument(descriptor: Descriptor): Promise<ImageManifest | ImageIndex | undefined> {
    let bytes: Buffer;
    try {
      bytes = await this.bytes(descriptor);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    return parseManifestOrIndex(bytes, { mediaType: descriptor.mediaType });
  }
}

/** True for the error of a place that lacks what was asked for. */
function isMissing(error: unknown): boolean {
  return error instanceof BoxwrightError && (error.code === 'BLOB_MISSING' || error.code === 'REGISTRY_NOT_FOUND');
}

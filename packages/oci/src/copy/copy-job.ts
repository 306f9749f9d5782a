import type { Descriptor } from '../documents/descriptor.ts';
import { isImageConfigType, isIndexType } from '../documents/media-types.ts';
import { parseImageConfig } from '../documents/parse-image-config.ts';
import type { Digest } from '../names/digest.ts';
import type { ImageDestination, ImageSource, PlacedImage } from '../places/place.ts';
import { checkPlatform } from './check-platform.ts';
import { type ChosenEntries, choosePlatforms } from './choose-platforms.ts';
import type { CopyOptions } from './copy-options.ts';
import { DocumentReader } from './document-reader.ts';
import { ImageWalk } from './image-walk.ts';
import { type PlatformChoice, platformChoice } from './platform-policy.ts';
import { RecallTransfer } from './recall-transfer.ts';
import type { Transfer } from './transfer.ts';

/** What of an image is to be copied. */
export interface CopyTop {
  /** What becomes the top at the destination, before anything in it is changed. */
  readonly top: Descriptor;
  /** Entries that are taken, where not all are. */
  readonly chosen?: ChosenEntries | undefined;
}

/** One copy, to be planned or done: what is taken, and whether anything has to be done at all. */
export class CopyJob {
  readonly source: ImageSource;
  readonly image: PlacedImage;
  readonly destination: ImageDestination;
  readonly options: CopyOptions;
  readonly choice: PlatformChoice;
  readonly documents: DocumentReader;
  /** Ends when the caller wants it to, or when a part failed. */
  readonly signal: AbortSignal;
  readonly #stopped = new AbortController();

  /** @throws BoxwrightError POLICY_INVALID */
  constructor(source: ImageSource, image: PlacedImage, destination: ImageDestination, options: CopyOptions) {
    this.source = source;
    this.image = image;
    this.destination = destination;
    this.options = options;
    const isIndex = isIndexType(image.descriptor.mediaType);
    const policy = isIndex && destination.takesOneImage === true ? 'single' : options.policy;
    const choice = platformChoice(policy, options.platforms);
    this.choice = isIndex ? choice : { policy: 'whole', platforms: [] };
    this.documents = new DocumentReader(source, destination);
    const { signal } = options;
    this.signal = signal === undefined ? this.#stopped.signal : AbortSignal.any([signal, this.#stopped.signal]);
  }

  /** Applies the policy. @throws BoxwrightError PLATFORM_MISSING and what reading documents throws */
  async top(): Promise<CopyTop> {
    const { policy, platforms } = this.choice;
    const { descriptor } = this.image;
    if (!isIndexType(descriptor.mediaType)) await this.#checkPlatform(descriptor);
    if (policy === 'whole') return { top: descriptor };
    const chosen = await choosePlatforms(this.documents, descriptor, platforms, policy === 'single');
    const [first] = chosen.images;
    return policy === 'single' && first !== undefined ? { top: first } : { top: descriptor, chosen };
  }

  async #checkPlatform(image: Descriptor): Promise<void> {
    const { platforms = [] } = this.options;
    if (platforms.length === 0) return;
    const manifest = await this.documents.document(image);
    if (manifest.kind !== 'manifest' || !isImageConfigType(manifest.config.mediaType)) return;
    const { config } = manifest;
    checkPlatform(image, parseImageConfig(await this.documents.bytes(config), { descriptor: config }), platforms);
  }

  /** A walk that hands what it comes by to a transfer. @param unchanged byte for byte, whatever the options say */
  walk(transfer: Transfer, chosen: ChosenEntries | undefined, unchanged = false): ImageWalk {
    const { encodeLayer, format, referrers, thorough } = this.options;
    const { takesPartialIndexes, concurrency } = this.destination;
    return new ImageWalk({
      source: this.source.description,
      documents: this.documents,
      transfer,
      kept: chosen?.kept,
      rewrite: this.choice.policy === 'rewrite',
      encodes: encodeLayer !== undefined && !unchanged,
      format: unchanged ? undefined : format,
      takesPartialIndexes,
      trustsIndexes: this.destination.localDocument !== undefined || !takesPartialIndexes,
      visitsAll: referrers === true || thorough === true,
      concurrency,
      signal: this.signal,
      failed: (error) => this.#stopped.abort(error),
    });
  }

  /**
   * What the names stand for, when that is what this copy would give them and nothing has to be done. Asks for as little
   * as possible: the names; the digest that the copy would come to follows from documents and remembered encodings.
   */
  async upToDate({ top, chosen }: CopyTop): Promise<Descriptor | undefined> {
    const { encodeLayer, format, referrers, thorough } = this.options;
    if (referrers === true || thorough === true) return undefined;
    const { destination } = this;
    const isSparse = chosen !== undefined && this.choice.policy === 'sparse';
    const changes =
      encodeLayer !== undefined || format !== undefined || (chosen !== undefined && this.choice.policy === 'rewrite');
    if (this.image.names.length === 0) {
      // In a registry an image without a name is stored under its digest, and that is all.
      const isStored = destination.repository !== undefined && !changes && !isSparse && (await destination.has(top));
      return isStored ? top : undefined;
    }
    const digest = await this.#namedDigest();
    if (digest === undefined || (isSparse && changes)) return undefined;
    const expected = changes ? await this.#predict({ top, chosen }) : top;
    if (expected?.digest !== digest) return undefined;
    if (isSparse) {
      for (const leaf of chosen.leaves) if (!(await destination.has(leaf))) return undefined;
      return expected;
    }
    // Where looking costs nothing it is looked; a registry has refused what is not complete.
    return destination.localDocument === undefined || (await destination.has(expected)) ? expected : undefined;
  }

  /** What all names stand for. */
  async #namedDigest(): Promise<Digest | undefined> {
    let digest: Digest | undefined;
    for (const name of this.image.names) {
      const there = await this.destination.resolve?.(name);
      if (there === undefined || (digest !== undefined && digest !== there.digest)) return undefined;
      digest = there.digest;
    }
    return digest;
  }

  async #predict({ top, chosen }: CopyTop): Promise<Descriptor | undefined> {
    const walk = this.walk(new RecallTransfer(this.options.encodeLayer), chosen);
    return (await walk.top(top))?.descriptor;
  }
}

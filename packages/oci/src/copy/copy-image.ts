import type { Descriptor } from '../documents/descriptor.ts';
import { type ImageFormat, isIndexType } from '../documents/media-types.ts';
import { formatPlatform, type Platform } from '../names/platform.ts';
import type { ImageDestination, ImageSource, PlacedImage } from '../places/place.ts';
import type { RepositoryName } from '../registry/repository-name.ts';
import { type ChosenEntries, choosePlatforms } from './choose-platforms.ts';
import type { CopyEvent } from './copy-events.ts';
import { CopyTransfer, roleOf } from './copy-transfer.ts';
import { DocumentReader } from './document-reader.ts';
import { ImageWalk } from './image-walk.ts';
import type { LayerEncoder } from './layer-encoder.ts';
import { type Ledger, ledgerTotals, secondsSince } from './ledger.ts';
import { type PlatformChoice, type PlatformPolicy, platformChoice } from './platform-policy.ts';
import { type CopiedReferrers, copyReferrers } from './referrers.ts';

/** What is copied, and how. */
export interface CopyOptions {
  /** What is taken of an index; default: {@link platformChoice}. */
  readonly policy?: PlatformPolicy | undefined;
  readonly platforms?: readonly Platform[] | undefined;
  /** Takes signatures, attestations and other manifests about the image along. */
  readonly referrers?: boolean | undefined;
  /** Changes layers on their way, for example `compressLayers`; documents that name them are written anew then. */
  readonly encodeLayer?: LayerEncoder | undefined;
  /** Converts manifests to the other family of media types; layers and configs keep their bytes. */
  readonly format?: ImageFormat | undefined;
  /** More repositories of the destination's registry to mount blobs from, beside the source's own. */
  readonly mountFrom?: readonly RepositoryName[] | undefined;
  /** Looks at every part, also when the destination's name stands for the image already. */
  readonly thorough?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/** What was placed, and how it went. */
export interface CopyResult extends PlacedImage {
  /** The names stood for the same image before, and all of it was there: nothing was written. */
  readonly upToDate: boolean;
  readonly ledger: Ledger;
}

/**
 * Copies an image or index with all that it names and places it under `image.names`. Digests stay what they are, byte for
 * byte, unless a policy, an encoder or a format asks for something else. The caller ends with the destination's `finish`
 * or `abort`.
 *
 * Order: content (several blobs at a time), manifests, indexes, manifests about them, names. Content that the
 * destination has, or can take over from another repository, is not read. A name that stands for the same digest already
 * is taken for complete, so that a copy with nothing to do asks each side once.
 *
 * @throws BoxwrightError POLICY_INVALID, PLATFORM_MISSING, FORMAT_UNSUPPORTED, IMAGE_INVALID (nested too deep, too many
 *   parts), BLOB_MISSING and what source and destination throw; the signal's reason. Nothing writes any more then.
 */
export async function copyImage(
  source: ImageSource,
  image: PlacedImage,
  destination: ImageDestination,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const choice = platformChoice(options.policy, options.platforms);
  return await new ImageCopy(source, image, destination, choice, options).run();
}

/** What of an image is to be copied. */
export interface CopyTop {
  /** What becomes the top at the destination, before anything in it is changed. */
  readonly top: Descriptor;
  /** Entries that are taken, where not all are. */
  readonly chosen?: ChosenEntries | undefined;
}

/** Applies a policy. @throws BoxwrightError PLATFORM_MISSING and what reading documents throws */
export async function copyTop(
  documents: DocumentReader,
  descriptor: Descriptor,
  { policy, platforms }: PlatformChoice,
): Promise<CopyTop> {
  if (policy === 'whole' || !isIndexType(descriptor.mediaType)) return { top: descriptor };
  const chosen = await choosePlatforms(documents, descriptor, platforms, policy === 'single');
  const [first] = chosen.images;
  return policy === 'single' && first !== undefined ? { top: first } : { top: descriptor, chosen };
}

class ImageCopy {
  readonly #source: ImageSource;
  readonly #image: PlacedImage;
  readonly #destination: ImageDestination;
  readonly #choice: PlatformChoice;
  readonly #options: CopyOptions;
  readonly #documents: DocumentReader;
  readonly #started: number = performance.now();
  readonly #stopped = new AbortController();

  constructor(
    source: ImageSource,
    image: PlacedImage,
    destination: ImageDestination,
    choice: PlatformChoice,
    options: CopyOptions,
  ) {
    this.#source = source;
    this.#image = image;
    this.#destination = destination;
    this.#choice = choice;
    this.#options = options;
    this.#documents = new DocumentReader(source, destination);
  }

  async run(): Promise<CopyResult> {
    const { signal: outer, onEvent, encodeLayer: encoder, mountFrom } = this.#options;
    const signal = outer === undefined ? this.#stopped.signal : AbortSignal.any([outer, this.#stopped.signal]);
    signal.throwIfAborted();
    const transfer = new CopyTransfer({
      source: this.#source,
      destination: this.#destination,
      encoder,
      mountFrom,
      onEvent,
      signal,
    });
    const { top, chosen } = await copyTop(this.#documents, this.#image.descriptor, this.#choice);
    if (await this.#isUpToDate(top, chosen)) {
      for (const part of [...(chosen?.leaves ?? []), top]) transfer.standing(part);
      return this.#result(transfer, top, { copied: [], left: [] }, true);
    }
    const walk = this.#walk(transfer, chosen, signal);
    const standing = await walk.standing(top);
    const document = standing ? { descriptor: top, bytes: await this.#documents.bytes(top) } : await walk.top(top);
    if (document === undefined) throw new Error('what was copied is not known');
    const about = await this.#referrers(walk, transfer, signal);
    signal.throwIfAborted();
    const start = performance.now();
    await this.#destination.place({ ...this.#image, descriptor: document.descriptor }, document.bytes);
    // What was there before is noted as such: only its name is new.
    if (!standing) transfer.written(roleOf(document.descriptor), top, document.descriptor, start);
    return this.#result(transfer, document.descriptor, about, false);
  }

  #walk(transfer: CopyTransfer, chosen: ChosenEntries | undefined, signal: AbortSignal, unchanged = false): ImageWalk {
    const { encodeLayer, format, referrers, thorough } = this.#options;
    const { takesPartialIndexes, concurrency } = this.#destination;
    return new ImageWalk({
      source: this.#source.description,
      documents: this.#documents,
      transfer,
      kept: chosen?.kept,
      rewrite: this.#choice.policy === 'rewrite',
      encodes: encodeLayer !== undefined && !unchanged,
      format: unchanged ? undefined : format,
      takesPartialIndexes,
      trustsIndexes: this.#destination.localDocument !== undefined || !takesPartialIndexes,
      visitsAll: referrers === true || thorough === true,
      concurrency,
      signal,
      failed: (error) => this.#stopped.abort(error),
    });
  }

  /** True when all names stand for what would be placed, and nothing has to be looked at to know that it is complete. */
  async #isUpToDate(top: Descriptor, chosen: ChosenEntries | undefined): Promise<boolean> {
    const { encodeLayer, format, referrers, thorough } = this.#options;
    if (encodeLayer !== undefined || format !== undefined || referrers === true || thorough === true) return false;
    if (chosen !== undefined && this.#choice.policy === 'rewrite') return false;
    const { names } = this.#image;
    const destination = this.#destination;
    // In a registry an image without a name is stored under its digest, and that is all.
    if (names.length === 0 && destination.repository !== undefined && chosen === undefined)
      return await destination.has(top);
    if (destination.resolve === undefined || names.length === 0) return false;
    for (const name of names) if ((await destination.resolve(name))?.digest !== top.digest) return false;
    if (chosen === undefined) {
      // Where looking costs nothing it is looked; a registry has refused what is not complete.
      return destination.localDocument === undefined || (await destination.has(top));
    }
    for (const leaf of chosen.leaves) if (!(await destination.has(leaf))) return false;
    return true;
  }

  async #referrers(walk: ImageWalk, transfer: CopyTransfer, signal: AbortSignal): Promise<CopiedReferrers> {
    if (this.#options.referrers !== true) return { copied: [], left: [] };
    return await copyReferrers({
      source: this.#source,
      destination: this.#destination,
      names: this.#image.names,
      visited: walk.visited,
      transfer,
      signal,
      // What speaks of an image is taken as it is: changed, its signature would not hold.
      walk: () => this.#walk(transfer, undefined, signal, true),
    });
  }

  #result(transfer: CopyTransfer, descriptor: Descriptor, about: CopiedReferrers, upToDate: boolean): CopyResult {
    const { policy, platforms } = this.#choice;
    const ledger: Ledger = {
      source: this.#source.description,
      destination: this.#destination.description,
      names: this.#image.names,
      policy,
      ...(platforms.length === 0 ? {} : { platforms: platforms.map(formatPlatform) }),
      sourceDigest: this.#image.descriptor.digest,
      digest: descriptor.digest,
      entries: transfer.entries,
      referrers: about.copied,
      referrersLeft: about.left,
      totals: ledgerTotals(transfer.entries, secondsSince(this.#started)),
    };
    return { ...this.#image, descriptor, upToDate, ledger };
  }
}

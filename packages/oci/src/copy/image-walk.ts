import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import type { ImageIndex, ImageManifest } from '../documents/manifest.ts';
import { convertMediaType, type ImageFormat, isIndexType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import { convertDescriptor, isConvertible } from './convert-format.ts';
import type { DocumentReader } from './document-reader.ts';
import { mapParallel } from './limiter.ts';
import { rewriteDocument, type WrittenDocument } from './rewrite-document.ts';
import type { Transfer } from './transfer.ts';

/** What a walk needs to know. */
export interface WalkOptions {
  /** For messages. */
  readonly source: string;
  readonly documents: DocumentReader;
  readonly transfer: Transfer;
  /** Which entries of each index are taken; absent: all of all. */
  readonly kept?: ReadonlyMap<Digest, ReadonlySet<Digest>> | undefined;
  /** Indexes lose the entries that are not taken, instead of naming what is not there. */
  readonly rewrite: boolean;
  /** Layers may change on their way. */
  readonly encodes: boolean;
  readonly format?: ImageFormat | undefined;
  /** The destination may hold an index of which parts are missing. */
  readonly takesPartialIndexes: boolean;
  /** What the destination says of an index it has is true: it looked for all parts. */
  readonly trustsIndexes: boolean;
  /** Everything has to be come by, also what is at the destination already. */
  readonly visitsAll: boolean;
  /** Images worked on at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Is told of the first failure at once. */
  readonly failed: (error: unknown) => void;
}

/** A manifest or index at the source, and at the destination where that is known. */
export interface VisitedDocument {
  readonly from: Descriptor;
  readonly to: Descriptor | undefined;
}

/** What became of a document: itself at the destination, unknown until it is done, or left out. */
type Outcome = { readonly kind: 'there'; readonly to: Descriptor | undefined } | { readonly kind: 'absent' };

/** Bounds memory against hostile indexes; the largest real ones have some thousands. */
const maxBlobs = 100_000;

/** Goes through an image or index, content before the documents that name it. */
export class ImageWalk {
  /** Manifests and indexes that it came by, and what they are at the destination. */
  readonly visited: Map<Digest, VisitedDocument> = new Map();
  readonly #options: WalkOptions;
  readonly #trees = new Map<Digest, Promise<Outcome>>();
  #blobs = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /**
   * Everything below the top, and what the top itself is then; it is not written. Undefined when that is only known once
   * it is done.
   *
   * @throws BoxwrightError IMAGE_INVALID, BLOB_MISSING and what reading and writing throw; the signal's reason
   */
  async top(descriptor: Descriptor): Promise<WrittenDocument | undefined> {
    const document = await this.#options.documents.document(descriptor);
    const written = await this.#inside(descriptor, document, 0);
    this.visited.set(descriptor.digest, { from: descriptor, to: written?.descriptor });
    return written;
  }

  /** The top, when nothing below it has to be looked at: it is at the destination as a whole, and stays as it is. */
  async standing(descriptor: Descriptor): Promise<boolean> {
    const standing = this.#maySkip(descriptor) && (await this.#options.transfer.holds(descriptor));
    if (standing) this.visited.set(descriptor.digest, { from: descriptor, to: descriptor });
    return standing;
  }

  /** A document below the top, once for however many indexes name it. */
  #tree(descriptor: Descriptor, depth: number): Promise<Outcome> {
    let outcome = this.#trees.get(descriptor.digest);
    if (outcome === undefined) {
      outcome = this.#document(descriptor, depth);
      this.#trees.set(descriptor.digest, outcome);
    }
    return outcome;
  }

  async #document(descriptor: Descriptor, depth: number): Promise<Outcome> {
    const { documents, transfer, signal } = this.#options;
    signal.throwIfAborted();
    if (depth > documentLimits.indexDepth + 1 || this.#trees.size > documentLimits.indexEntries) {
      throw this.#tooLarge(descriptor);
    }
    if (await this.standing(descriptor)) return { kind: 'there', to: descriptor };
    const document = await documents.optionalDocument(descriptor);
    if (document === undefined) return { kind: 'absent' };
    const written = await this.#inside(descriptor, document, depth);
    if (written !== undefined) {
      const role = document.kind === 'index' ? 'index' : 'manifest';
      await transfer.document({ role, from: descriptor, to: written.descriptor, bytes: written.bytes });
    }
    this.visited.set(descriptor.digest, { from: descriptor, to: written?.descriptor });
    return { kind: 'there', to: written?.descriptor };
  }

  #maySkip({ mediaType, digest }: Descriptor): boolean {
    const { encodes, format, kept, trustsIndexes, visitsAll } = this.#options;
    if (encodes || format !== undefined) return false;
    if (!isIndexType(mediaType)) return true;
    return trustsIndexes && !visitsAll && kept?.has(digest) !== true;
  }

  #inside(
    descriptor: Descriptor,
    document: ImageManifest | ImageIndex,
    depth: number,
  ): Promise<WrittenDocument | undefined> {
    return document.kind === 'manifest'
      ? this.#manifest(descriptor, document)
      : this.#index(descriptor, document, depth);
  }

  async #manifest(descriptor: Descriptor, document: ImageManifest): Promise<WrittenDocument | undefined> {
    const { transfer, format, failed } = this.#options;
    const convert = this.#converter(document);
    const blobs = [document.config, ...document.layers];
    this.#blobs += blobs.length;
    if (this.#blobs > maxBlobs) throw this.#tooLarge(descriptor);
    // All at once: how many are worked on at a time is for the transfer to say.
    const [config, ...layers] = await mapParallel(
      blobs,
      blobs.length,
      async (blob, index) => {
        const to = await transfer.blob({
          role: index === 0 ? 'config' : 'layer',
          descriptor: blob,
          manifest: document,
        });
        return to === undefined ? undefined : convert(to);
      },
      failed,
    );
    // Left out only where a plan does not know it.
    if (config === undefined || layers.includes(undefined)) return undefined;
    return rewriteDocument(descriptor, document, {
      mediaType:
        format !== undefined && isConvertible(document)
          ? convertMediaType(document.mediaType, format)
          : document.mediaType,
      config,
      parts: layers,
      digests: new Map(),
    });
  }

  async #index(descriptor: Descriptor, document: ImageIndex, depth: number): Promise<WrittenDocument | undefined> {
    const { kept, rewrite, format } = this.#options;
    const wanted = kept?.get(descriptor.digest);
    const taken = document.manifests.map((entry) => kept === undefined || wanted?.has(entry.digest) === true);
    const outcomes = await this.#entries(document.manifests, taken, depth);
    this.#checkPresent(descriptor, document, taken, outcomes);
    const digests = new Map<string, string>();
    const parts: (Descriptor | undefined)[] = [];
    for (const [index, entry] of document.manifests.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === 'there') {
        if (outcome.to === undefined) return undefined;
        if (outcome.to.digest !== entry.digest) digests.set(entry.digest, outcome.to.digest);
        parts.push(outcome.to);
      } else {
        // Named although it is not taken, in indexes whose digest is to stay.
        parts.push(rewrite && taken[index] === false ? undefined : entry);
      }
    }
    const mediaType =
      format !== undefined && isConvertible(document)
        ? convertMediaType(document.mediaType, format)
        : document.mediaType;
    return rewriteDocument(descriptor, document, { mediaType, parts, digests });
  }

  /** Images several at a time; indexes, which hold their bytes until all below them is done, one after the other. */
  async #entries(
    entries: readonly Descriptor[],
    taken: readonly boolean[],
    depth: number,
  ): Promise<(Outcome | undefined)[]> {
    const { concurrency, failed } = this.#options;
    const outcomes: (Outcome | undefined)[] = [];
    for (const nested of [true, false]) {
      const indexes = [...entries.keys()].filter(
        (index) => taken[index] === true && isIndexType(entries[index]?.mediaType ?? '') === nested,
      );
      await mapParallel(
        indexes,
        nested ? 1 : concurrency,
        async (index) => {
          const entry = entries[index];
          if (entry !== undefined) outcomes[index] = await this.#tree(entry, depth + 1);
        },
        failed,
      );
    }
    return outcomes;
  }

  #checkPresent(
    index: Descriptor,
    { manifests }: ImageIndex,
    taken: readonly boolean[],
    outcomes: readonly (Outcome | undefined)[],
  ): void {
    const { source, takesPartialIndexes, kept, transfer } = this.#options;
    let present = 0;
    for (const [position, entry] of manifests.entries()) {
      if (taken[position] !== true) continue;
      if (outcomes[position]?.kind === 'there') present++;
      else if (!takesPartialIndexes || kept !== undefined) {
        throw new BoxwrightError(
          'BLOB_MISSING',
          `${source} has only a part of index ${index.digest}: ${entry.digest} is missing`,
          {
            hint: 'take what is there with the policy rewrite or single',
            details: { digest: entry.digest, index: index.digest },
          },
        );
      } else transfer.absent(isIndexType(entry.mediaType) ? 'index' : 'manifest', entry);
    }
    if (present > 0 || !taken.includes(true)) return;
    throw new BoxwrightError('BLOB_MISSING', `${source} has none of the images of index ${index.digest}`, {
      details: { digest: index.digest },
    });
  }

  #converter(document: ImageManifest): (descriptor: Descriptor) => Descriptor {
    const { format } = this.#options;
    if (format === undefined || !isConvertible(document)) return (descriptor) => descriptor;
    return (descriptor) => convertDescriptor(descriptor, format);
  }

  #tooLarge({ digest }: Descriptor): BoxwrightError {
    const { source } = this.#options;
    return new BoxwrightError('IMAGE_INVALID', `${digest} in ${source} is nested too deep or has too many parts`, {
      hint: 'No tool makes such an image by itself: name the one that you want by its digest.',
      details: { digest },
    });
  }
}

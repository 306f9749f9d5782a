import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { formatPlatform } from '../names/platform.ts';
import type { ImageDestination, ImageSource, PlacedImage } from '../places/place.ts';
import { CopyJob, type CopyTop } from './copy-job.ts';
import type { CopyOptions } from './copy-options.ts';
import { CopyTransfer, roleOf } from './copy-transfer.ts';
import type { ImageWalk } from './image-walk.ts';
import { type Ledger, ledgerTotals, secondsSince } from './ledger.ts';
import { type CopiedReferrers, copyReferrers } from './referrers.ts';

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
  return await new ImageCopy(new CopyJob(source, image, destination, options)).run();
}

class ImageCopy {
  readonly #job: CopyJob;
  readonly #transfer: CopyTransfer;
  readonly #started: number = performance.now();

  constructor(job: CopyJob) {
    const { source, destination, options, signal } = job;
    const { onEvent, encodeLayer: encoder, mountFrom } = options;
    this.#job = job;
    this.#transfer = new CopyTransfer({ source, destination, encoder, mountFrom, onEvent, signal });
  }

  async run(): Promise<CopyResult> {
    const job = this.#job;
    job.signal.throwIfAborted();
    const taken = await job.top();
    const standing = await job.upToDate(taken);
    if (standing !== undefined) {
      for (const part of [...(taken.chosen?.leaves ?? []), standing]) this.#transfer.standing(part);
      return this.#result(standing, { copied: [], left: [] }, true);
    }
    try {
      return await this.#copy(taken);
    } catch (error) {
      throw job.choice.policy === 'sparse' ? sparseRefused(error) : error;
    }
  }

  async #copy({ top, chosen }: CopyTop): Promise<CopyResult> {
    const { destination, documents, image, signal } = this.#job;
    const walk = this.#job.walk(this.#transfer, chosen);
    const standing = await walk.standing(top);
    const document = standing ? { descriptor: top, bytes: await documents.bytes(top) } : await walk.top(top);
    if (document === undefined) throw new Error('what was copied is not known');
    const about = await this.#referrers(walk);
    signal.throwIfAborted();
    const start = performance.now();
    await destination.place({ ...image, descriptor: document.descriptor }, document.bytes);
    // What was there before is noted as such: only its name is new.
    if (!standing) this.#transfer.written(roleOf(document.descriptor), top, document.descriptor, start);
    return this.#result(document.descriptor, about, false);
  }

  async #referrers(walk: ImageWalk): Promise<CopiedReferrers> {
    const { source, destination, image, options, signal } = this.#job;
    if (options.referrers !== true) return { copied: [], left: [] };
    return await copyReferrers({
      source,
      destination,
      names: image.names,
      visited: walk.visited,
      transfer: this.#transfer,
      signal,
      // What speaks of an image is taken as it is: changed, its signature would not hold.
      walk: () => this.#job.walk(this.#transfer, undefined, true),
    });
  }

  #result(descriptor: Descriptor, about: CopiedReferrers, upToDate: boolean): CopyResult {
    const { source, destination, image, choice } = this.#job;
    const { entries } = this.#transfer;
    const ledger: Ledger = {
      source: source.description,
      destination: destination.description,
      names: image.names,
      policy: choice.policy,
      ...(choice.platforms.length === 0 ? {} : { platforms: choice.platforms.map(formatPlatform) }),
      sourceDigest: image.descriptor.digest,
      digest: descriptor.digest,
      entries,
      referrers: about.copied,
      referrersLeft: about.left,
      totals: ledgerTotals(entries, secondsSince(this.#started)),
    };
    return { ...image, descriptor, upToDate, ledger };
  }
}

/** Most registries want all that an index names; their own words do not say what to do about it. */
function sparseRefused(error: unknown): unknown {
  if (!(error instanceof BoxwrightError) || error.code !== 'REGISTRY_REFUSED' || error.hint !== undefined) return error;
  return new BoxwrightError(error.code, error.message, {
    hint: 'many registries refuse an index of which parts are missing: choose the policy rewrite or single',
    cause: error,
    details: error.details,
  });
}

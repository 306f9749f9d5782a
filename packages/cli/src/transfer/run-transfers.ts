import {
  type CopyOptions,
  type CopyPlan,
  canonicalName,
  copyImage,
  type ImageLocation,
  type Ledger,
  type OpenedDestination,
  type OpenedSource,
  openDestination,
  openSource,
  parseReference,
  planCopy,
  storeDestination,
  storeSource,
  withDigest,
} from '@boxwright/oci';
import type { CommandPlaces } from '../command-places.ts';
import { findImage } from '../find-image.ts';
import { transferEventOf } from './copy-event.ts';
import type { TransferRenderer } from './transfer-event.ts';

/** One image to bring somewhere. */
export interface TransferJob {
  readonly source: ImageLocation;
  readonly destination: ImageLocation;
  /** What happens, in words: `Pulling debian:12`. */
  readonly title: string;
  /** As the command line names them. */
  readonly shownSource: string;
  readonly shownDestination: string;
  /** What is done for this image alone. */
  readonly options?: Pick<CopyOptions, 'policy' | 'platforms'>;
}

/** How images are brought. */
export interface TransferSettings {
  readonly options: Omit<CopyOptions, 'signal' | 'onEvent'>;
  readonly dryRun: boolean;
}

/** What became of a job: what was done, or with `--dry-run` what would be. */
export type TransferResult =
  | { readonly kind: 'done'; readonly job: TransferJob; readonly ledger: Ledger }
  | { readonly kind: 'plan'; readonly job: TransferJob; readonly plan: CopyPlan };

/**
 * Brings one image to its destination, or finds out what that would mean.
 *
 * @throws BoxwrightError of finding, reading and writing; what was begun at the destination is dropped then
 */
export async function runTransfer(
  job: TransferJob,
  settings: TransferSettings,
  places: CommandPlaces,
  renderer: TransferRenderer,
): Promise<TransferResult> {
  const { signal } = places;
  const options = { ...settings.options, ...job.options };
  const from = await openFrom(job.source, places);
  try {
    const to = await openTo(job.destination, places);
    try {
      const image = { ...from.image, names: to.names };
      const { title, shownSource, shownDestination } = job;
      renderer.onEvent({ type: 'image', title, source: shownSource, destination: shownDestination });
      if (settings.dryRun) {
        const plan = await planCopy(from.source, image, to.destination, { ...options, signal });
        await to.destination.abort();
        return { kind: 'plan', job, plan };
      }
      const compresses = options.encodeLayer !== undefined;
      const { ledger } = await copyImage(from.source, image, to.destination, {
        ...options,
        signal,
        onEvent: (event) => renderer.onEvent(transferEventOf(event, compresses)),
      });
      await to.destination.finish();
      return { kind: 'done', job, ledger };
    } catch (error) {
      await to.destination.abort();
      throw error;
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

/** In the store also by id, as everywhere on this command line. */
async function openFrom(location: ImageLocation, places: CommandPlaces): Promise<OpenedSource> {
  if (location.transport !== 'store') return await openSource(location, places);
  const store = places.store();
  const { descriptor, name } = findImage(store, location.reference);
  const image = { descriptor, names: name === undefined ? [] : [name] };
  return { source: storeSource(store), image, close: async () => {} };
}

/** A digest cannot be chosen, but what was pulled by one may go by it in the store. */
async function openTo(location: ImageLocation, places: CommandPlaces): Promise<OpenedDestination> {
  const reference = location.transport === 'store' ? parseReference(location.reference) : undefined;
  if (reference?.digest === undefined) return await openDestination(location, places);
  const names = [canonicalName(withDigest(reference, reference.digest))];
  return { destination: storeDestination(places.store()), names, close: async () => {} };
}

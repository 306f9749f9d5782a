import type { ImageStore } from '../store/store.ts';
import type { ImageDestination, PlacedImage } from './place.ts';
import { storeDestination } from './store-place.ts';

/** What is done with images that have been gathered. */
export interface StagedOutput {
  /** For messages. */
  readonly description: string;
  /** Writes them to where they belong. */
  write(images: readonly PlacedImage[]): Promise<void>;
  /** Nothing is to be written. */
  drop?(): Promise<void>;
}

/**
 * A destination that can only be written to once everything is known: content goes into the store (what is there is not
 * copied) and from there out when the copy is finished. Nothing is tagged in the store.
 */
export function stagedDestination(store: ImageStore, output: StagedOutput): ImageDestination {
  const inner = storeDestination(store);
  const placed: PlacedImage[] = [];
  return {
    description: output.description,
    takesPartialIndexes: true,
    concurrency: inner.concurrency,
    // The store's names say nothing about the place that is meant, so there is no `resolve`.
    has: (descriptor) => inner.has(descriptor),
    localDocument: async (descriptor) => await inner.localDocument?.(descriptor),
    writeBlob: (descriptor, content, onBytes) => inner.writeBlob(descriptor, content, onBytes),
    writeManifest: (descriptor, bytes) => inner.writeManifest(descriptor, bytes),
    place: async (image, bytes) => {
      await inner.place({ ...image, names: [] }, bytes);
      placed.push(image);
    },
    finish: async () => {
      await inner.finish();
      if (placed.length > 0) await output.write(placed);
      else await output.drop?.();
    },
    abort: async () => {
      placed.length = 0;
      await inner.abort();
      await output.drop?.();
    },
  };
}

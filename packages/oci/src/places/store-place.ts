import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { digestAlgorithm } from '../names/digest.ts';
import type { ImageStore } from '../store/store.ts';
import type { ImageDestination, ImageSource, PlacedImage } from './place.ts';

/** The local store to copy from. */
export function storeSource(store: ImageStore): ImageSource {
  return {
    description: `image store ${store.root}`,
    has: async ({ digest }) => store.hasBlob(digest),
    readDocument: async ({ digest }) => store.readBlob(digest, documentLimits.configBytes),
    readBlob: async function* (descriptor) {
      yield* store.blobPieces(descriptor.digest, descriptor.size);
    },
  };
}

/** The local store to copy to; names become tags when the copy is finished. */
export function storeDestination(store: ImageStore): ImageDestination {
  const placed: PlacedImage[] = [];
  const write = async (
    descriptor: Descriptor,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> => {
    const writer = store.createBlob(digestAlgorithm(descriptor.digest));
    try {
      for await (const piece of content) writer.write(piece);
    } catch (error) {
      writer.abort();
      throw error;
    }
    writer.commit(descriptor);
  };
  return {
    description: `image store ${store.root}`,
    takesPartialIndexes: true,
    has: async ({ digest, size }) => store.blobSize(digest) === size,
    writeBlob: write,
    writeManifest: async (descriptor, bytes) => write(descriptor, [bytes]),
    place: async (image) => {
      placed.push(image);
    },
    finish: async () => {
      for (const { descriptor, names } of placed) for (const name of names) store.tag(name, descriptor);
    },
    abort: async () => {
      placed.length = 0;
    },
  };
}

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
    readBlob: async function* (descriptor, { offset, signal } = {}) {
      for (const piece of store.blobPieces(descriptor.digest, descriptor.size, offset)) {
        signal?.throwIfAborted();
        yield piece;
      }
    },
  };
}

/** The local store to copy to; names become tags when the copy is finished. */
export function storeDestination(store: ImageStore): ImageDestination {
  const placed: PlacedImage[] = [];
  const write = async (
    descriptor: Descriptor,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onBytes?: (count: number) => void,
  ): Promise<undefined> => {
    const writer = store.createBlob(digestAlgorithm(descriptor.digest));
    try {
      for await (const piece of content) {
        writer.write(piece);
        onBytes?.(piece.length);
      }
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
    writeBlob: (descriptor, content, onBytes) => write(descriptor, content(0), onBytes),
    writeManifest: (descriptor, bytes) => write(descriptor, [bytes]),
    place: async (image, bytes) => {
      await write(image.descriptor, [bytes]);
      placed.push(image);
    },
    finish: async () => {
      for (const { descriptor, names } of placed) for (const name of names) store.tag(name, descriptor);
    },
    abort: async () => {
      placed.length = 0;
    },
    concurrency: 4,
  };
}

import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { digestAlgorithm } from '../names/digest.ts';
import type { BlobWriter } from '../store/blob-writer.ts';
import type { ImageStore } from '../store/store.ts';
import { noteRepository, repositoriesOf } from './blob-repositories.ts';
import { breathing } from './breathing.ts';
import type { ImageDestination, ImageSource, PlacedImage } from './place.ts';
import { NewReferrers, storeReferrers } from './store-referrers.ts';
import { hasWhole, type LocalContent } from './whole-documents.ts';

/** The local store to copy from. */
export function storeSource(store: ImageStore): ImageSource {
  return {
    description: `image store ${store.root}`,
    has: async ({ digest }) => store.hasBlob(digest),
    readDocument: async ({ digest }) => store.readBlob(digest, documentLimits.configBytes),
    readBlob: ({ digest, size }, { offset, signal } = {}) => breathing(store.blobPieces(digest, size, offset), signal),
    repositoriesOf: ({ digest }) => repositoriesOf(store, digest),
    noteRepository: ({ digest }, repository) => noteRepository(store, digest, repository),
    ...storeReferrers(store),
  };
}

/** The local store to copy to; names become tags when the copy is finished. */
export function storeDestination(store: ImageStore): ImageDestination {
  const placed: PlacedImage[] = [];
  const referrers = new NewReferrers();
  const local: LocalContent = {
    has: ({ digest, size }) => store.blobSize(digest) === size,
    read: ({ digest }) => store.readBlob(digest, documentLimits.configBytes),
  };
  const write = async (
    descriptor: Descriptor,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onBytes?: (count: number) => void,
  ): Promise<undefined> => {
    const writer = store.createBlob(digestAlgorithm(descriptor.digest));
    await fill(writer, content, onBytes);
    writer.commit(descriptor);
  };
  return {
    description: `image store ${store.root}`,
    takesPartialIndexes: true,
    has: async (descriptor) => hasWhole(local, descriptor),
    localDocument: async (descriptor) => (local.has(descriptor) ? local.read(descriptor) : undefined),
    resolve: async (name) => store.resolve(name),
    writeBlob: (descriptor, content, onBytes) => write(descriptor, content(0), onBytes),
    writeStream: async (_key, content, onBytes) => {
      const writer = store.createBlob();
      await fill(writer, content(0), onBytes);
      const { digest, size } = writer.commit();
      return { digest, size, sent: size, tries: 1, resumedAt: 0 };
    },
    writeManifest: (descriptor, bytes) => write(descriptor, [bytes]),
    place: async (image, bytes) => {
      await write(image.descriptor, [bytes]);
      if (image.names.length === 0) referrers.add(image.descriptor, bytes);
      placed.push(image);
    },
    finish: async () => {
      for (const { descriptor, names } of placed) for (const name of names) store.tag(name, descriptor);
      const image = placed.at(-1)?.names[0];
      if (image !== undefined) referrers.keep(store, image);
    },
    abort: async () => {
      placed.length = 0;
    },
    noteRepository: ({ digest }, repository) => noteRepository(store, digest, repository),
    concurrency: 4,
  };
}

async function fill(
  writer: BlobWriter,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBytes?: (count: number) => void,
): Promise<void> {
  try {
    for await (const piece of content) {
      writer.write(piece);
      onBytes?.(piece.length);
    }
  } catch (error) {
    writer.abort();
    throw error;
  }
}

import { open } from 'node:fs/promises';
import { compressGzip } from '../compress/compress-gzip.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { compressionOf, formatOf, isForeignLayerType, layerMediaType } from '../documents/media-types.ts';
import { parseDigest } from '../names/digest.ts';
import type { ImageStore } from '../store/store.ts';

/** A layer as it leaves: another blob with the same files. */
export interface OutgoingLayer {
  readonly descriptor: Descriptor;
  /** Its bytes; may be asked for again. */
  content(): AsyncIterable<Uint8Array>;
  /** Nothing more is wanted of it. */
  release(): void;
}

/** Turns a layer into what the destination should get; undefined: leave it as it is. */
export type LayerEncoder = (
  layer: Descriptor,
  content: () => AsyncIterable<Uint8Array>,
) => Promise<OutgoingLayer | undefined>;

const pieceSize = 1024 * 1024;

/**
 * Compresses plain layers with gzip on their way out, several blocks at a time. What a layer becomes is remembered in
 * the store (the output depends on input, level and zlib only), so that the next time a destination that has it
 * already costs nothing, and one that has not gets it without a copy on this disk.
 */
export function gzipLayers(store: ImageStore, level = 6): LayerEncoder {
  return async (layer, content) => {
    if (compressionOf(layer.mediaType) !== 'none') return undefined;
    const mediaType = layerMediaType(formatOf(layer.mediaType), 'gzip', isForeignLayerType(layer.mediaType));
    const key = `gzip ${level} zlib ${process.versions.zlib} ${layer.digest}`;
    const { annotations } = layer;
    const describe = (digest: Descriptor['digest'], size: number): Descriptor => ({
      mediaType,
      digest,
      size,
      ...(annotations === undefined ? {} : { annotations }),
    });
    const compressed = (): AsyncIterable<Uint8Array> => compressGzip(copied(content()), { level });
    const remembered = readMemory(store, key);
    if (remembered !== undefined) {
      return {
        descriptor: describe(remembered.digest, remembered.size),
        content: compressed,
        release: () => undefined,
      };
    }
    const writer = store.createBlob();
    try {
      for await (const piece of compressed()) writer.write(piece);
    } catch (error) {
      writer.abort();
      throw error;
    }
    const sealed = writer.seal();
    store.cache.put(key, { digest: sealed.digest, size: sealed.size }, { blobs: [] });
    return {
      descriptor: describe(sealed.digest, sealed.size),
      content: () => fileBytes(sealed.path),
      release: () => sealed.discard(),
    };
  };
}

function readMemory(store: ImageStore, key: string): { digest: Descriptor['digest']; size: number } | undefined {
  const value = store.cache.get(key)?.value;
  if (typeof value !== 'object' || value === null || !('digest' in value) || !('size' in value)) return undefined;
  const { digest, size } = value;
  return typeof digest === 'string' && typeof size === 'number' ? { digest: parseDigest(digest), size } : undefined;
}

/** Sources use their buffer again for each piece, while compression holds on to several. */
async function* copied(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of content) yield Buffer.from(piece);
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceSize), 0, pieceSize);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

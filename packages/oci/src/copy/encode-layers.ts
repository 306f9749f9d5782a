import { open } from 'node:fs/promises';
import { BoxwrightError } from '@boxwright/errors';
import { compressGzip } from '../compress/compress-gzip.ts';
import { compressZstd } from '../compress/compress-zstd.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { compressionOf, formatOf, isForeignLayerType, layerMediaType } from '../documents/media-types.ts';
import { type DigestAlgorithm, digestAlgorithm, isDigest } from '../names/digest.ts';
import type { ImageStore } from '../store/store.ts';
import type { EncodedSize, LayerEncoder, LayerEncoding, SpooledLayer } from './layer-encoder.ts';

/** How layers are compressed on their way out. */
export interface LayerCompressionChoice {
  readonly compression: 'gzip' | 'zstd';
  /** gzip: 1 to 9, default 4. zstd: 1 to 22, default 3. */
  readonly level?: number | undefined;
}

const pieceSize = 1024 * 1024;

const encoders = {
  // Level 4 is half again as fast as zlib's own default, 6, and layers grow by 2 to 4 %.
  gzip: { compress: compressGzip, level: 4, highest: 9, version: `zlib ${process.versions.zlib}` },
  zstd: { compress: compressZstd, level: 3, highest: 22, version: `zstd ${process.versions['zstd'] ?? 'none'}` },
} as const;

/**
 * Reads `gzip`, `zstd`, `gzip:9`, `zstd:19`.
 *
 * @throws BoxwrightError COMPRESSION_LEVEL for a level that is none; undefined for another word
 */
export function parseLayerCompression(text: string): LayerCompressionChoice | undefined {
  const match = /^(gzip|zstd)(?::(\d{1,3}))?$/.exec(text);
  const compression = match?.[1];
  if (compression !== 'gzip' && compression !== 'zstd') return undefined;
  const level = match?.[2];
  if (level === undefined) return { compression };
  return { compression, level: checkedLevel(compression, Number(level)) };
}

/**
 * Compresses plain layers on their way out, several blocks at a time. What a layer becomes is remembered in the store
 * (the output depends on input, level and library only), so that the next time a destination that has it already costs
 * nothing, and one that has not gets it without a copy on this disk.
 *
 * @throws BoxwrightError COMPRESSION_LEVEL
 */
export function compressLayers(store: ImageStore, choice: LayerCompressionChoice): LayerEncoder {
  const { compression } = choice;
  const encoder = encoders[compression];
  const level = checkedLevel(compression, choice.level ?? encoder.level);
  return (layer) => {
    if (compressionOf(layer.mediaType) !== 'none') return undefined;
    return layerEncoding(store, layer, {
      mediaType: layerMediaType(formatOf(layer.mediaType), compression, isForeignLayerType(layer.mediaType)),
      key: `${compression} ${level} ${encoder.version} ${layer.digest}`,
      compress: (source) => encoder.compress(source, { level }),
    });
  };
}

/** Compresses plain layers with gzip: {@link compressLayers}. */
export function gzipLayers(store: ImageStore, level?: number): LayerEncoder {
  return compressLayers(store, { compression: 'gzip', level });
}

function checkedLevel(compression: 'gzip' | 'zstd', level: number): number {
  const { highest } = encoders[compression];
  if (Number.isInteger(level) && level >= 1 && level <= highest) return level;
  throw new BoxwrightError('COMPRESSION_LEVEL', `${compression} has no level ${level}`, {
    hint: `choose 1 to ${highest}`,
  });
}

interface EncodingParts {
  readonly mediaType: string;
  readonly key: string;
  readonly compress: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

function layerEncoding(
  store: ImageStore,
  { digest }: Descriptor,
  { mediaType, key, compress }: EncodingParts,
): LayerEncoding {
  return {
    mediaType,
    key,
    recall: () => recall(store, key),
    remember: (result) => {
      if (result === undefined) store.cache.delete(key);
      else store.cache.put(key, { digest: result.digest, size: result.size }, { blobs: [] });
    },
    content: (source) => (offset, signal) => without(offset, compress(source(0, signal))),
    spool: (source) => spool(store, compress(source(0)), digestAlgorithm(digest)),
  };
}

async function spool(
  store: ImageStore,
  bytes: AsyncIterable<Uint8Array>,
  algorithm: DigestAlgorithm,
): Promise<SpooledLayer> {
  const writer = store.createBlob(algorithm);
  try {
    for await (const piece of bytes) writer.write(piece);
  } catch (error) {
    writer.abort();
    throw error;
  }
  const sealed = writer.seal();
  return {
    digest: sealed.digest,
    size: sealed.size,
    content: (offset) => fileBytes(sealed.path, offset),
    release: () => sealed.discard(),
  };
}

function recall(store: ImageStore, key: string): EncodedSize | undefined {
  const value = store.cache.get(key)?.value;
  if (typeof value !== 'object' || value === null || !('digest' in value) || !('size' in value)) return undefined;
  const { digest, size } = value;
  return typeof digest === 'string' && isDigest(digest) && typeof size === 'number' ? { digest, size } : undefined;
}

async function* without(
  offset: number,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = offset;
  for await (const piece of content) {
    if (left < piece.length) yield left === 0 ? piece : piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

async function* fileBytes(path: string, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path);
  try {
    for (let position = offset; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceSize), 0, pieceSize, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

import { createHash } from 'node:crypto';
import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import {
  type CompressionKind,
  DETECTION_BYTES,
  type Descriptor,
  decompress,
  detectCompression,
  digestAlgorithm,
  digestFromHash,
  type ImageLayer,
  type ImageSource,
  type ScannedEntry,
  type TarEntry,
  TarReader,
} from '@boxwright/oci';
import { inflateGzip } from './inflate-gzip.ts';
import { LayerSizeCounter } from './layer-size.ts';
import type { RestartPoint } from './restart-point.ts';

/** What one reading of a layer tells about it as a whole. */
export interface LayerFacts {
  /** Bytes that it adds to the image, as Docker counts them (see {@link LayerSizeCounter}). */
  readonly size: number;
  /** Hard links to what is not in the layer. */
  readonly danglingHardLinks: number;
  /** Entries of the archive, whiteouts included. */
  readonly entries: number;
  /** Bytes of the uncompressed archive. */
  readonly tarSize: number;
}

/** Who wants to see what passes by. */
export interface LayerPassOptions {
  readonly onEntry?: (entry: ScannedEntry) => void;
  /** The content of the entry before, sparse files expanded, in pieces that are valid during the call. */
  readonly onData?: (chunk: Buffer) => void;
  /** Called once, at the start. */
  readonly onCompression?: (kind: CompressionKind) => void;
  /** Where a gzip stream can be entered later. */
  readonly onPoint?: (point: RestartPoint) => void;
  /** Uncompressed bytes since the last call. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a layer of any place once, from its compressed bytes to the entries of its archive. Nothing is unpacked or
 * kept: memory is that of the paths, which are counted by Docker's rule. Compressed bytes are checked by the source,
 * uncompressed ones against the diffID.
 *
 * @throws BoxwrightError LAYER_INVALID (it has another diffID), TAR_INVALID, COMPRESSION_INVALID, COMPRESSION_LIMIT and
 *   what the source throws; the signal's reason
 */
export async function passLayer(
  source: ImageSource,
  { descriptor, diffId }: ImageLayer,
  options: LayerPassOptions = {},
): Promise<LayerFacts> {
  const { onEntry, onData, onProgress, signal } = options;
  const counter = new LayerSizeCounter();
  let entries = 0;
  const reader = new TarReader({
    entry: (entry: TarEntry, dataOffset: number, sparse) => {
      entries++;
      counter.add(entry);
      onEntry?.({ entry, dataOffset, ...(sparse === undefined ? {} : { sparse }) });
    },
    ...(onData === undefined ? {} : { data: onData }),
  });
  const algorithm = digestAlgorithm(diffId);
  const hash = createHash(algorithm);
  let tarSize = 0;
  const blob = source.readBlob(descriptor, signal === undefined ? {} : { signal });
  try {
    for await (const piece of expanded(blob, descriptor.size, options)) {
      signal?.throwIfAborted();
      hash.update(piece);
      tarSize += piece.length;
      reader.push(piece);
      onProgress?.(piece.length);
    }
    reader.end();
  } catch (error) {
    throw namingLayer(error, source, descriptor);
  }
  const actual = digestFromHash(hash, algorithm);
  if (actual !== diffId) {
    throw new BoxwrightError(
      'LAYER_INVALID',
      `layer ${descriptor.digest} of ${escapeForTerminal(source.description)} unpacks to ${actual}, the config says ${diffId}`,
      {
        hint: 'the image is damaged or was put together wrongly: fetch or build it again',
        details: { actual, diffId },
      },
    );
  }
  const { bytes, danglingHardLinks } = counter.result();
  return { size: bytes, danglingHardLinks, entries, tarSize };
}

/** The archive's own errors do not know which of an image's layers they are about. */
function namingLayer(error: unknown, source: ImageSource, { digest }: Descriptor): unknown {
  if (!isBoxwrightError(error) || !/^(?:TAR|COMPRESSION)_/.test(error.code)) return error;
  return new BoxwrightError(
    error.code,
    `layer ${digest} of ${escapeForTerminal(source.description)}: ${error.message}`,
    {
      hint: error.hint ?? 'the image is damaged or was put together wrongly: fetch or build it again',
      cause: error,
      details: { ...error.details, layer: digest },
    },
  );
}

/**
 * The uncompressed bytes of a layer's blob. What the bytes say counts: media types are often wrong about compression, and
 * containerd goes by the bytes too.
 */
export async function* expanded(
  blob: AsyncIterable<Uint8Array>,
  compressedSize: number,
  { onCompression, onPoint }: Pick<LayerPassOptions, 'onCompression' | 'onPoint'> = {},
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = blob[Symbol.asyncIterator]();
  try {
    const start: Buffer[] = [];
    for (let length = 0; length < DETECTION_BYTES; ) {
      const next = await iterator.next();
      if (next.done === true) break;
      start.push(Buffer.from(next.value));
      length += next.value.length;
    }
    const kind = detectCompression(Buffer.concat(start));
    onCompression?.(kind);
    const bytes = chained(start, iterator);
    if (kind === 'gzip' && onPoint !== undefined) yield* inflateGzip(bytes, { compressedSize, onPoint });
    else yield* decompress(bytes, kind, { compressedSize });
  } finally {
    await iterator.return?.();
  }
}

async function* chained(
  start: readonly Buffer[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* start;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

import { availableParallelism } from 'node:os';
import { constants, zstdCompress } from 'node:zlib';
import type { CompressOptions } from './compress-gzip.ts';
import { compressionUnsupported } from './compression-error.ts';
import { mapBlocks } from './parallel-blocks.ts';

/** Small enough to keep several in memory, big enough to lose little compression (4 % of Debian's programs and texts). */
const FRAME_INPUT = 4 * 1024 * 1024;

/** No frame is larger (ZSTD_compressBound): its result is in one piece that nobody has to put together. */
const FRAME_OUTPUT = FRAME_INPUT + FRAME_INPUT / 128;

/**
 * Compresses to zstd: a frame with checksum for every 4 MiB (RFC 8878 3: frames may follow each other), several at a
 * time on Node's thread pool. The output depends on the input bytes, the level and the zstd in Node alone. Throws
 * RangeError for a level that is none, COMPRESSION_UNSUPPORTED on a Node without zstd.
 */
export async function* compressZstd(
  source: AsyncIterable<Uint8Array>,
  options: CompressOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const level = options.level ?? 3;
  if (!Number.isInteger(level) || level < 1 || level > 22) throw new RangeError(`zstd level ${level} is not 1 to 22`);
  requireZstd();
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  // One more than there are processors is no faster with frames that large, and takes 10 MB more.
  const concurrency = options.concurrency ?? Math.min(availableParallelism(), 8);
  yield* mapBlocks(source, { blockSize: FRAME_INPUT, overlap: 0, concurrency }, ({ bytes }) => {
    return new Promise((resolve, reject) => {
      const settings = { params, chunkSize: FRAME_OUTPUT, pledgedSrcSize: bytes.length };
      zstdCompress(bytes, settings, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  });
}

/** Throws COMPRESSION_UNSUPPORTED when this Node's zlib has no zstd (it came with 22.15 and 23.8). */
export function requireZstd(): void {
  if (typeof zstdCompress === 'function') return;
  throw compressionUnsupported('zstd', `Node ${process.version} cannot read or write it`, 'Use Node 22.15 or newer.');
}

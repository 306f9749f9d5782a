import { constants, crc32, deflateRaw } from 'node:zlib';
import { type InputBlock, mapBlocks } from './parallel-blocks.ts';

/** How a compressor may be adjusted. */
export interface CompressOptions {
  /** gzip: 1 to 9, default 6 (what Docker uses). zstd: 1 to 22, default 3. */
  readonly level?: number;
  /** Blocks compressed at a time, default: processors and one more. Does not change the output. */
  readonly concurrency?: number;
}

const BLOCK_SIZE = 512 * 1024;
/** Deflate looks back this far: giving each block the end of the one before costs no compression. */
const WINDOW_SIZE = 32 * 1024;

/** RFC 1952: deflate, no flags, no time, unknown operating system: nothing in it depends on where or when. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/**
 * Compresses to one gzip member, several blocks at a time on Node's thread pool (the way pigz does it). The output
 * depends on the input bytes, the level and the zlib in Node alone: not on chunks, times or the number of processors.
 * Memory is bounded and reading waits for the consumer. Throws RangeError for a level that is none.
 */
export async function* compressGzip(
  source: AsyncIterable<Uint8Array>,
  options: CompressOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const level = options.level ?? 6;
  if (!Number.isInteger(level) || level < 1 || level > 9) throw new RangeError(`gzip level ${level} is not 1 to 9`);
  let checksum = 0;
  let size = 0;
  yield Buffer.from(HEADER);
  const blocks = { blockSize: BLOCK_SIZE, overlap: WINDOW_SIZE, concurrency: options.concurrency };
  yield* mapBlocks(source, blocks, (block) => {
    // Blocks come here in order; only the deflating runs side by side.
    checksum = crc32(block.bytes, checksum);
    size += block.bytes.length;
    return deflateBlock(block, level);
  });
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

function deflateBlock(block: InputBlock, level: number): Promise<Buffer> {
  const options = {
    level,
    chunkSize: BLOCK_SIZE / 2,
    // A sync flush ends a block on a byte border without ending the deflate stream: blocks can simply follow each other.
    finishFlush: block.isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(block.before === undefined ? undefined : { dictionary: block.before }),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(block.bytes, options, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

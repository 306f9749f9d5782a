import { createReadStream, statSync } from 'node:fs';
import { decompress } from '../compress/decompress.ts';
import { DETECTION_BYTES, detectCompression } from '../compress/detect-compression.ts';
import type { ExpansionLimits } from '../compress/expansion-guard.ts';

/** An archive: the path of a file, or its bytes as they come. */
export type ArchiveInput = string | AsyncIterable<Uint8Array>;

const pieceSize = 1024 * 1024;

/** The bytes of an archive, decompressed by what they begin with (gzip, zstd; xz and bzip2 where the programs are). */
export async function* archiveBytes(
  input: ArchiveInput,
  signal?: AbortSignal,
  limits: Partial<ExpansionLimits> = {},
): AsyncGenerator<Buffer, void, undefined> {
  const source = typeof input === 'string' ? fileBytes(input, signal) : input;
  const size = typeof input === 'string' ? sizeOfFile(input) : undefined;
  const iterator = source[Symbol.asyncIterator]();
  try {
    const start = await firstBytes(iterator);
    const kind = detectCompression(start);
    const known = size === undefined ? {} : { compressedSize: size };
    const bytes = decompress(chain(start, iterator), kind, {
      ...known,
      ...limits,
      ...(kind === 'none' ? unlimited : {}),
    });
    for await (const piece of bytes) {
      signal?.throwIfAborted();
      yield piece;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Nothing is expanded. */
const unlimited: Partial<ExpansionLimits> = { freeBytes: Number.MAX_SAFE_INTEGER };

/** For messages. */
export function describeInput(input: ArchiveInput): string {
  return typeof input === 'string' ? input : 'standard input';
}

function fileBytes(path: string, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: pieceSize, ...(signal === undefined ? {} : { signal }) });
}

function sizeOfFile(path: string): number | undefined {
  const stat = statSync(path);
  return stat.isFile() ? stat.size : undefined;
}

/** As many bytes as tell how something is compressed, or all that there are. */
export async function firstBytes(iterator: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < DETECTION_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    pieces.push(Buffer.from(next.value));
    length += next.value.length;
  }
  return Buffer.concat(pieces);
}

/** Bytes that were taken from an iteration, and those that are left. */
export async function* chain(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (start.length > 0) yield start;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

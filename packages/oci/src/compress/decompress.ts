import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { requireZstd } from './compress-zstd.ts';
import { compressionInvalid } from './compression-error.ts';
import type { CompressionKind } from './detect-compression.ts';
import { ExpansionGuard, type ExpansionLimits } from './expansion-guard.ts';
import { decompressWithHelper } from './helper-program.ts';
import { runDecoder } from './run-decoder.ts';
import { ZstdFrames } from './zstd-frames.ts';

/**
 * Bytes of the pieces that come out. V8 collects them with the small objects around them, of which there are few: with
 * pieces four times as large as these, 40 MB more wait for that.
 */
const OUTPUT_CHUNK = 64 * 1024;

/**
 * Expands a stream. gzip: several members are one stream and zero bytes may pad the end, anything else after it is
 * refused; zstd: several frames, skippable ones left out; xz and bzip2 through the program of that name, if the machine
 * has it; none: passed on. A stream that is damaged, cut or followed by junk throws COMPRESSION_INVALID, at the latest
 * after its last byte: nothing is sound before the iteration has ended. COMPRESSION_LIMIT for what expands beyond
 * `limits`, COMPRESSION_UNSUPPORTED for what this machine cannot read. Errors of `source` come through as they are.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  kind: CompressionKind,
  limits: Partial<ExpansionLimits> = {},
): AsyncGenerator<Buffer, void, undefined> {
  const guard = new ExpansionGuard(kind, limits);
  switch (kind) {
    case 'none':
      return passThrough(source, guard);
    case 'gzip':
      return runDecoder('gzip', () => createGunzip({ chunkSize: OUTPUT_CHUNK }), counted(source, guard), guard);
    case 'zstd':
      return expandZstd(source, guard);
    case 'xz':
    case 'bzip2':
      break;
  }
  return decompressWithHelper(kind, counted(source, guard), guard);
}

async function* passThrough(
  source: AsyncIterable<Uint8Array>,
  guard: ExpansionGuard,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of counted(source, guard)) {
    guard.expand(chunk.length);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  guard: ExpansionGuard,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    guard.read(chunk.length);
    yield chunk;
  }
}

function expandZstd(source: AsyncIterable<Uint8Array>, guard: ExpansionGuard): AsyncGenerator<Buffer, void, undefined> {
  requireZstd();
  const windowLog = guard.limits.zstdWindowLog;
  const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
  const open = () => createZstdDecompress({ chunkSize: OUTPUT_CHUNK, params });
  return runDecoder('zstd', open, framesOf(counted(source, guard), new ZstdFrames(windowLog)), guard);
}

/** A frame without content: what the decoder is given when a stream holds skippable frames only. */
const EMPTY_FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00]);

async function* framesOf(
  source: AsyncIterable<Uint8Array>,
  frames: ZstdFrames,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isEmpty = true;
  for await (const chunk of source) {
    for (const piece of frames.split(chunk)) {
      isEmpty = false;
      yield piece;
    }
  }
  if (!frames.isComplete) throw compressionInvalid('zstd', 'it ends inside a frame');
  if (isEmpty) yield EMPTY_FRAME;
}

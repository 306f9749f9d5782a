import { createGunzip, type Gunzip } from 'node:zlib';
import { BoxwrightError } from '@boxwright/errors';
import { defaultExpansionLimits } from '@boxwright/oci';
import { BLOCK_HEADER_BYTES, findBlock } from './deflate-blocks.ts';
import { type RestartPoint, WINDOW_BYTES } from './restart-point.ts';

/** How {@link inflateGzip} works. */
export interface InflateOptions {
  /** Bytes of the whole stream. */
  readonly compressedSize: number;
  /** Places where decoding can begin, in order; not all streams have them. */
  readonly onPoint: (point: RestartPoint) => void;
  /** Compressed bytes between two of them; default 4 MiB, and never more than a thousand in all. */
  readonly interval?: number;
}

const defaultInterval = 4 * 1024 * 1024;
const maxPoints = 1000;
/** Given to the decoder at a time: a bomb expands it to 64 MiB at most. */
const inputBytes = 64 * 1024;
/** Bytes of the pieces that come out: as small as those of `decompress` of `@boxwright/oci`, for the same reason. */
const outputBytes = 64 * 1024;
/** Expanded bytes that may wait for the reader. */
const queueBytes = 4 * 1024 * 1024;

/**
 * Expands a gzip stream of any number of members, as the `decompress` of `@boxwright/oci` does, and looks now and then
 * for a place where it could be entered later. The pieces that come out may be kept.
 *
 * @throws BoxwrightError COMPRESSION_INVALID, COMPRESSION_LIMIT; errors of the source as they are
 */
export async function* inflateGzip(
  source: AsyncIterable<Uint8Array>,
  options: InflateOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const inflation = new Inflation(options);
  const fed = inflation.feed(source);
  // Thrown below, when what came before it has been read.
  fed.catch(() => undefined);
  try {
    yield* inflation.pieces();
    await fed;
  } finally {
    inflation.close();
  }
}

class Inflation {
  readonly #options: InflateOptions;
  readonly #decoder: Gunzip = createGunzip({ chunkSize: outputBytes });
  readonly #interval: number;
  readonly #queue: Buffer[] = [];
  #queued = 0;
  /** What came out since the last input was given in, and a window before it. */
  #recent: Buffer[] = [];
  #fed = 0;
  #produced = 0;
  #lastPoint = 0;
  #streamEnded = false;
  #over = false;
  #error: unknown;
  #wakeReader: () => void = () => {};
  #wakeFeeder: () => void = () => {};

  constructor(options: InflateOptions) {
    this.#options = options;
    this.#interval = Math.max(options.interval ?? defaultInterval, Math.ceil(options.compressedSize / maxPoints));
    this.#decoder.on('data', (piece: Buffer) => {
      this.#produced += piece.length;
      this.#recent.push(piece);
      this.#queue.push(piece);
      this.#queued += piece.length;
      this.#wakeReader();
    });
    this.#decoder.once('end', () => this.#finish());
    this.#decoder.once('error', (error: Error) =>
      this.#fail(isDecoderError(error) ? invalid(error.message, error) : error),
    );
    this.#decoder.once('close', () => this.#wakeFeeder());
  }

  async *pieces(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const piece = this.#queue.shift();
      if (piece !== undefined) {
        this.#queued -= piece.length;
        this.#wakeFeeder();
        yield piece;
      } else if (this.#error !== undefined) {
        throw this.#error;
      } else if (this.#over) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  /** Takes the whole source. A failure also ends {@link pieces}. */
  async feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of source) {
        for (let at = 0; at < piece.length; at += inputBytes) await this.#feed(piece.subarray(at, at + inputBytes));
        if (this.#decoder.destroyed) return;
      }
      this.#decoder.end();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  close(): void {
    this.#decoder.destroy();
    this.#queued = 0;
    this.#wakeFeeder();
  }

  async #feed(input: Uint8Array): Promise<void> {
    while (this.#queued > queueBytes && !this.#decoder.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wakeFeeder = resolve;
      });
    }
    const isDue = this.#fed - this.#lastPoint >= this.#interval && input.length > BLOCK_HEADER_BYTES;
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    const found = isDue ? findBlock(bytes) : undefined;
    if (found === undefined) {
      await this.#write(bytes);
      return;
    }
    // With the byte that the block begins in, and no more, the decoder gives out all that comes before the block.
    const split = (found >> 3) + 1;
    const compressed = this.#fed + split - 1;
    this.#trimRecent();
    await this.#write(bytes.subarray(0, split), true);
    if (!this.#streamEnded && this.#decoder.readableLength === 0 && !this.#decoder.destroyed) {
      this.#lastPoint = this.#fed;
      const all = Buffer.concat(this.#recent);
      const window = Buffer.from(all.subarray(Math.max(0, all.length - WINDOW_BYTES)));
      this.#options.onPoint({ compressed, bit: found & 7, offset: this.#produced, window });
    }
    await this.#write(bytes.subarray(split));
  }

  async #write(input: Buffer, keepRecent = false): Promise<void> {
    if (this.#streamEnded) return checkRest(input);
    if (this.#decoder.destroyed || input.length === 0) return;
    if (!keepRecent) this.#trimRecent();
    const taken = await new Promise<boolean>((resolve) => {
      const onClose = (): void => resolve(false);
      this.#decoder.once('close', onClose);
      this.#decoder.write(input, (error) => {
        this.#decoder.off('close', onClose);
        resolve(error === null || error === undefined);
      });
    });
    if (!taken) return;
    this.#fed += input.length;
    this.#checkRatio();
    // The decoder leaves bytes only behind the end of the stream.
    const left = this.#fed - this.#decoder.bytesWritten;
    if (left > 0) {
      this.#streamEnded = true;
      checkRest(input.subarray(input.length - left));
    }
  }

  /** Pieces that no window can reach any more go. */
  #trimRecent(): void {
    let kept = 0;
    let from = this.#recent.length;
    while (from > 0 && kept < WINDOW_BYTES) kept += this.#recent[--from]?.length ?? 0;
    if (from > 0) this.#recent = this.#recent.slice(from);
  }

  #checkRatio(): void {
    const { freeBytes, maxRatio } = defaultExpansionLimits;
    const allowed = Math.max(freeBytes, maxRatio * this.#options.compressedSize);
    if (this.#produced <= allowed) return;
    throw new BoxwrightError(
      'COMPRESSION_LIMIT',
      `refused to expand the gzip data further: it expands to more than ${allowed} bytes, ${maxRatio} times its size`,
      { hint: 'This is how decompression bombs look.', details: { kind: 'gzip', limit: 'maxRatio' } },
    );
  }

  #finish(): void {
    this.#over = true;
    this.#wakeReader();
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#wakeReader();
    this.#wakeFeeder();
  }
}

/** Zero bytes may pad the end (tapes, dd), nothing else may follow. */
function checkRest(rest: Uint8Array): void {
  if (rest.some((byte) => byte !== 0)) throw invalid('junk follows the end of the stream');
}

/** Errors of zlib carry its number. */
function isDecoderError(error: Error): boolean {
  return 'errno' in error && 'code' in error && String(error.code).startsWith('Z_');
}

function invalid(what: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('COMPRESSION_INVALID', `the gzip data is not valid: ${what}`, {
    hint: 'The file is damaged or truncated: fetch or make it again.',
    cause,
    details: { kind: 'gzip' },
  });
}

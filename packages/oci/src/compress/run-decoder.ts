import type { Gunzip, ZstdDecompress } from 'node:zlib';
import { compressionInvalid } from './compression-error.ts';
import type { ExpansionGuard } from './expansion-guard.ts';

/**
 * Sends a stream through one of Node's decoders with back-pressure in both directions, and checks what the decoder
 * leaves behind: Node stops quietly where it takes the stream to be over, and only zero bytes may follow.
 */
export async function* runDecoder(
  kind: 'gzip' | 'zstd',
  open: () => Gunzip | ZstdDecompress,
  source: AsyncIterable<Uint8Array>,
  guard: ExpansionGuard,
): AsyncGenerator<Buffer, void, undefined> {
  const decoder = open();
  const feeding = new Feeding(kind, decoder);
  const fed = feeding.run(source);
  // Failures are thrown where the decoder is read or `fed` is awaited; these two only say that somebody looks at them.
  decoder.on('error', () => undefined);
  fed.catch((error: unknown) => decoder.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    // The cast: a decoder without encoding gives out buffers, its type says any.
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      guard.expand(chunk.length);
      yield chunk;
    }
    await fed;
  } catch (error) {
    if (feeding.failed || !isDecoderError(error)) throw error;
    throw compressionInvalid(kind, error.message, error);
  } finally {
    decoder.destroy();
  }
}

/** Errors of zlib and zstd carry the library's number. */
function isDecoderError(error: unknown): error is Error {
  return error instanceof Error && 'errno' in error && 'code' in error && /^(Z_|ZSTD_)/.test(String(error.code));
}

/** The writing side of a decoder. */
class Feeding {
  readonly #kind: string;
  readonly #decoder: Gunzip | ZstdDecompress;
  #isOver = false;
  #fed = 0;
  /** True when the source (or what follows the stream) was at fault, not the decoder. */
  failed = false;

  constructor(kind: string, decoder: Gunzip | ZstdDecompress) {
    this.#kind = kind;
    this.#decoder = decoder;
  }

  async run(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) {
        if (this.#isOver) this.#checkRest(chunk);
        else if (!(await this.#write(chunk))) return;
      }
    } catch (error) {
      this.failed = true;
      throw error;
    }
    if (!this.#isOver) this.#decoder.end();
  }

  /** Writes one chunk; false when nobody reads any more. */
  async #write(chunk: Uint8Array): Promise<boolean> {
    if (this.#decoder.destroyed || !(await offer(this.#decoder, chunk))) return false;
    this.#fed += chunk.length;
    // Bytes are left over only when the decoder found the end of the stream before them.
    const left = this.#fed - this.#decoder.bytesWritten;
    if (left > 0) {
      this.#isOver = true;
      this.#checkRest(chunk.subarray(chunk.length - left));
    }
    return true;
  }

  #checkRest(rest: Uint8Array): void {
    if (rest.some((byte) => byte !== 0)) throw compressionInvalid(this.#kind, 'junk follows the end of the stream');
  }
}

/** Resolves when the decoder is done with the chunk: true, or false when it failed or was closed. */
function offer(decoder: Gunzip | ZstdDecompress, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isTaken: boolean) => {
      decoder.off('close', onClose);
      resolve(isTaken);
    };
    const onClose = () => settle(false);
    decoder.once('close', onClose);
    decoder.write(chunk, (error) => settle(error === null || error === undefined));
  });
}

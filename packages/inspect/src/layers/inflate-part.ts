import { constants, createGunzip, createInflateRaw, type Gunzip, type InflateRaw } from 'node:zlib';
import { emptyBlocksBefore, type RestartPoint } from './restart-point.ts';

/** What is cut off at its end gives out what there is: the reader knows how much it needs, and checks it. */
const options = { chunkSize: 256 * 1024, finishFlush: constants.Z_SYNC_FLUSH };

/**
 * Expands a part of a gzip stream that begins at a restart point (its byte `compressed`), or at the start of the stream.
 * The part may end anywhere. Throws zlib's errors; bytes of a wrong place may also just come out as nonsense.
 */
export async function* inflatePart(
  point: RestartPoint | undefined,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    if (point === undefined) {
      yield* expand(createGunzip(options), iterator, { input: undefined });
      return;
    }
    const dictionary = point.window;
    const decoder = createInflateRaw({ ...options, ...(dictionary.length === 0 ? {} : { dictionary }) });
    const next: IteratorResult<Uint8Array> = await iterator.next();
    if (next.done === true) return;
    const rest = { input: emptyBlocksBefore(point.bit, next.value) };
    yield* expand(decoder, iterator, rest);
    // RFC 1952: checksum and size follow the deflate stream, then maybe another member.
    yield* expand(createGunzip(options), skipping(8, rest.input, iterator), { input: undefined });
  } finally {
    await iterator.return?.();
  }
}

/** @param rest `input` is given in first, and is at the end what the decoder left behind the end of its stream */
async function* expand(
  decoder: Gunzip | InflateRaw,
  iterator: AsyncIterator<Uint8Array>,
  rest: { input: Buffer | undefined },
): AsyncGenerator<Buffer, void, undefined> {
  let given = 0;
  const feed = async (): Promise<void> => {
    let input = rest.input;
    rest.input = undefined;
    while (!decoder.destroyed) {
      if (input === undefined) {
        const next = await iterator.next();
        if (next.done === true) break;
        input = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      }
      given += input.length;
      await offer(decoder, input);
      const left = given - decoder.bytesWritten;
      if (left > 0) {
        // The decoder saw the end of its stream, and has ended by itself.
        rest.input = Buffer.from(input.subarray(input.length - left));
        return;
      }
      input = undefined;
    }
    decoder.end();
  };
  decoder.on('error', () => undefined);
  const fed = feed();
  fed.catch((error: unknown) => decoder.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    // The cast: a decoder without encoding gives out buffers, its type says any.
    for await (const piece of decoder as AsyncIterable<Buffer>) yield piece;
    await fed;
  } finally {
    decoder.destroy();
  }
}

/** Resolves when the decoder is done with the input, or was closed. */
function offer(decoder: Gunzip | InflateRaw, input: Buffer): Promise<void> {
  return new Promise((resolve) => {
    decoder.once('close', resolve);
    decoder.write(input, () => {
      decoder.off('close', resolve);
      resolve();
    });
  });
}

async function* skipping(
  count: number,
  first: Buffer | undefined,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = count;
  let piece: Uint8Array | undefined = first ?? Buffer.alloc(0);
  while (piece !== undefined) {
    if (piece.length > skip) yield piece.subarray(skip);
    skip = Math.max(0, skip - piece.length);
    const next: IteratorResult<Uint8Array> = await rest.next();
    piece = next.done === true ? undefined : next.value;
  }
}

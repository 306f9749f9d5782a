/** Some milliseconds of reading and hashing. */
const bytesPerTurn = 8 * 1024 * 1024;

/**
 * Pieces that are read synchronously, with a turn for everybody else now and then: signals, timers and progress must not
 * wait for the end of a large layer.
 */
export async function* breathing<T extends Uint8Array>(
  pieces: Iterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  let bytes = 0;
  for (const piece of pieces) {
    yield piece;
    bytes += piece.length;
    if (bytes < bytesPerTurn) continue;
    bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}

import { createHash } from 'node:crypto';

/**
 * Bytes that compress as a program does, to half or so, and are the same in every run and on every machine: short words
 * of a small dictionary between pieces of noise, in stretches of different mixture.
 *
 * @param size in bytes
 */
export function programLike(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let random = 0x2545_f491;
  const next = (below: number): number => {
    // xorshift32: quick, and enough for bytes that nobody guesses.
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    return (random >>> 0) % below;
  };
  const words = Array.from({ length: 4096 }, (_, index) =>
    createHash('sha256')
      .update(String(index))
      .digest()
      .subarray(0, 3 + next(14)),
  );
  for (let at = 0; at < size; ) {
    // How much of a stretch is noise: code, tables and texts differ.
    const noisy = next(10);
    for (const end = Math.min(size, at + 20_000 + next(200_000)); at < end; ) {
      if (next(10) < noisy) bytes[at++] = next(256);
      else at += words[next(next(4096) + 1)]?.copy(bytes, at, 0, end - at) ?? 0;
    }
  }
  return bytes;
}

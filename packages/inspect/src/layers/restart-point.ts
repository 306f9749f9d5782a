/** A place in a gzip stream where decoding can begin. */
export interface RestartPoint {
  /** Byte of the compressed stream that holds the first bit of a deflate block. */
  readonly compressed: number;
  /** Which bit of that byte, 0 to 7, least significant first. */
  readonly bit: number;
  /** Uncompressed bytes before it. */
  readonly offset: number;
  /** The last of them, up to 32 KiB: what the block may refer to. */
  readonly window: Buffer;
}

/** The farthest that deflate looks back (RFC 1951 2). */
export const WINDOW_BYTES: number = 32 * 1024;

/**
 * Deflate blocks without content, `bits` bits of them modulo 8. Node's zlib cannot be told to begin in the middle of a
 * byte; with these in front it arrives there by itself. An empty block with fixed codes has ten bits; one with dynamic
 * codes, a single literal/length code and no distance code has 93.
 */
function emptyBlocks(bits: number): number[] {
  const stream: number[] = [];
  const put = (value: number, count: number): void => {
    for (let bit = 0; bit < count; bit++) stream.push((value >> bit) & 1);
  };
  if (bits % 2 === 1) {
    put(0b100, 3);
    // 257 literal/length codes, 1 distance code, 18 lengths of the code for lengths.
    put(0, 5);
    put(0, 5);
    put(14, 4);
    // In the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: lengths 2 for 18 and 0, 1 for 1.
    for (const length of [0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) put(length, 3);
    // Codes are sent with their first bit first: 1 is `0`, 0 is `10`, 18 is `11`. 256 zeros, then 1, then 0.
    put(0b11, 2);
    put(138 - 11, 7);
    put(0b11, 2);
    put(118 - 11, 7);
    put(0, 1);
    put(0b01, 2);
    // The end of the block, the only code there is.
    put(0, 1);
  }
  while (stream.length % 8 !== bits) {
    put(0b010, 3);
    put(0, 7);
  }
  return stream;
}

/** Those blocks for each bit that a block may begin at: whole bytes, and the bits before it in its own byte. */
const prefixes: readonly { readonly whole: Buffer; readonly rest: number }[] = Array.from({ length: 8 }, (_, bit) => {
  const stream = emptyBlocks(bit);
  const bytes = Buffer.alloc(Math.ceil(stream.length / 8));
  for (const [index, value] of stream.entries()) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (value << (index & 7));
  const whole = bytes.subarray(0, stream.length >> 3);
  return { whole, rest: bytes[whole.length] ?? 0 };
});

/**
 * The first compressed bytes from a restart point on, made fit for a decoder that begins on a byte: the bits before the
 * block, which belong to the block before it, become blocks without content.
 */
export function emptyBlocksBefore(bit: number, first: Uint8Array): Buffer {
  const { whole, rest } = prefixes[bit & 7] ?? { whole: Buffer.alloc(0), rest: 0 };
  const bytes = Buffer.concat([whole, first]);
  if (first.length > 0) bytes[whole.length] = ((bytes[whole.length] ?? 0) & ~((1 << (bit & 7)) - 1)) | rest;
  return bytes;
}

/**
 * Finding block borders in a deflate stream (RFC 1951) without decoding it, so that decoding can begin in the middle.
 * A stream has no marks: a border is a bit position where the header of a block can be read that makes sense as a whole.
 */

/** The order in which code length code lengths are stored (RFC 1951 3.2.7). */
const PRECODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;
/** A dynamic header has at most this many bytes: 17 bits, 19 lengths of 3, 316 codes of at most 7 + 7 bits. */
export const BLOCK_HEADER_BYTES = 600;

/**
 * The first position, in bits from the start of `bytes`, where a block begins that is not the last one of its stream:
 * one with dynamic codes, an empty stored one (a flush), or one of several stored ones. Blocks with fixed codes are
 * passed over, since their header says next to nothing. Undefined when there is none that ends well before the end of
 * `bytes`. A false answer is possible, though very unlikely: what is decoded from there has to be checked.
 */
export function findBlock(bytes: Buffer): number | undefined {
  const lastByte = bytes.length - BLOCK_HEADER_BYTES;
  for (let byte = 0; byte < lastByte; byte++) {
    const word =
      (bytes[byte] ?? 0) |
      ((bytes[byte + 1] ?? 0) << 8) |
      ((bytes[byte + 2] ?? 0) << 16) |
      ((bytes[byte + 3] ?? 0) << 24);
    for (let bit = 0; bit < 8; bit++) {
      const header = (word >>> bit) & 0x1fff;
      const kind = header & 7;
      if (kind === 4) {
        // Not the last block, dynamic codes; at most 286 literals and 30 distances.
        if (((header >> 3) & 31) < 30 && ((header >> 8) & 31) < 30 && isDynamicBlock(bytes, byte * 8 + bit)) {
          return byte * 8 + bit;
        }
      } else if (kind === 0 && isStoredBlock(bytes, byte * 8 + bit)) {
        return byte * 8 + bit;
      }
    }
  }
  return undefined;
}

/** Reads up to 16 bits from a bit position, least significant first. */
function bits(bytes: Buffer, at: number, count: number): number {
  const byte = at >>> 3;
  const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16);
  return (word >>> (at & 7)) & ((1 << count) - 1);
}

/** RFC 1951 3.2.4. Long stored blocks have a successor that can be looked at, which chance hardly ever gives them. */
function isStoredBlock(bytes: Buffer, at: number): boolean {
  const start = (at + 3 + 7) >>> 3;
  const padding = start * 8 - at - 3;
  if (padding > 0 && bits(bytes, at + 3, padding) !== 0) return false;
  const length = storedLength(bytes, start);
  if (length === undefined) return false;
  if (length === 0) return true;
  const next = start + 4 + length;
  if (next + BLOCK_HEADER_BYTES > bytes.length) return false;
  const kind = bits(bytes, next * 8, 3);
  if (kind === 4) return isDynamicBlock(bytes, next * 8);
  return (
    (kind === 0 || kind === 1) && bits(bytes, next * 8, 8) >> 3 === 0 && storedLength(bytes, next + 1) !== undefined
  );
}

function storedLength(bytes: Buffer, at: number): number | undefined {
  const length = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const complement = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
  return (length ^ complement) === 0xffff ? length : undefined;
}

const precodeLengths = new Uint8Array(19);
/** Symbol and length for each 7 bits that may come next, `symbol << 3 | length`. */
const precodeTable = new Uint8Array(128);
const codeLengths = new Uint8Array(320);

/** True when a whole header of a block with dynamic codes (RFC 1951 3.2.7) can be read, as strictly as zlib reads it. */
function isDynamicBlock(bytes: Buffer, at: number): boolean {
  const literals = bits(bytes, at + 3, 5) + 257;
  const distances = bits(bytes, at + 8, 5) + 1;
  const count = bits(bytes, at + 13, 4) + 4;
  let position = at + 17;
  let left = 128;
  precodeLengths.fill(0);
  for (let index = 0; index < count; index++, position += 3) {
    const length = bits(bytes, position, 3);
    if (length > 0) left -= 128 >> length;
    if (left < 0) return false;
    precodeLengths[PRECODE_ORDER[index] ?? 0] = length;
  }
  if (left !== 0) return false;
  fillPrecodeTable();
  const total = literals + distances;
  for (let index = 0; index < total; ) {
    const found = precodeTable[bits(bytes, position, 7)] ?? 0;
    const symbol = found >> 3;
    position += found & 7;
    if (symbol < 16) {
      codeLengths[index++] = symbol;
      continue;
    }
    if (symbol === 16 && index === 0) return false;
    const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    const repeat = bits(bytes, position, extra) + (symbol === 18 ? 11 : 3);
    position += extra;
    if (index + repeat > total) return false;
    codeLengths.fill(symbol === 16 ? (codeLengths[index - 1] ?? 0) : 0, index, index + repeat);
    index += repeat;
  }
  return codeLengths[256] !== 0 && isCode(0, literals, false) && isCode(literals, total, true);
}

/** Canonical codes, most significant bit first, in a stream that is read least significant bit first. */
function fillPrecodeTable(): void {
  let code = 0;
  for (let length = 1; length <= 7; length++) {
    for (let symbol = 0; symbol < 19; symbol++) {
      if (precodeLengths[symbol] !== length) continue;
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let entry = reversed; entry < 128; entry += 1 << length) precodeTable[entry] = (symbol << 3) | length;
      code++;
    }
    code <<= 1;
  }
}

/** A complete prefix code, or one code of one bit, or (distances) none. */
function isCode(from: number, to: number, mayBeEmpty: boolean): boolean {
  let left = 1 << 15;
  let longest = 0;
  for (let index = from; index < to; index++) {
    const length = codeLengths[index] ?? 0;
    if (length === 0) continue;
    left -= (1 << 15) >> length;
    if (length > longest) longest = length;
  }
  if (longest === 0) return mayBeEmpty;
  return left === 0 || (left > 0 && longest === 1);
}

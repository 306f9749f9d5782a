import { tarInvalid } from './tar-error.ts';

/** Bytes of a tar block; headers, content and padding all come in these. */
export const BLOCK_SIZE = 512;

/** Bytes up to the next block border. */
export function paddingOf(size: number): number {
  const rest = size % BLOCK_SIZE;
  return rest === 0 ? 0 : BLOCK_SIZE - rest;
}

/**
 * A numeric header field: octal with leading blanks, or base-256 (GNU: top bit set, two's complement, big endian).
 * An empty field is 0, as everywhere. Throws TAR_INVALID for other characters and for what a double cannot hold.
 */
export function parseNumber(block: Uint8Array, start: number, length: number, field: string, offset: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return parseBase256(block, start, length, field, offset);
  const end = start + length;
  let at = start;
  let byte = first;
  while (at < end && (byte === 0x20 || byte === 0)) byte = block[++at] ?? 0;
  let value = 0;
  while (at < end && byte >= 0x30 && byte <= 0x37) {
    value = value * 8 + (byte - 0x30);
    byte = block[++at] ?? 0;
  }
  // Blanks may follow the digits; a NUL ends the field whatever comes after it.
  while (at < end && byte === 0x20) byte = block[++at] ?? 0;
  if (at < end && byte !== 0) throw tarInvalid(`the ${field} field is not an octal number`, offset);
  if (!Number.isSafeInteger(value)) throw tarInvalid(`the ${field} field is too big`, offset);
  return value;
}

function parseBase256(block: Uint8Array, start: number, length: number, field: string, offset: number): number {
  const first = block[start] ?? 0;
  const invert = (first & 0x40) === 0 ? 0 : 0xff;
  let value = (first ^ invert) & 0x7f;
  for (let index = start + 1; index < start + length; index++) {
    value = value * 256 + ((block[index] ?? 0) ^ invert);
  }
  if (!Number.isSafeInteger(value)) throw tarInvalid(`the ${field} field is too big`, offset);
  return invert === 0 ? value : -value - 1;
}

/** The bytes of a text field up to its first NUL, one per code unit. */
export function parseBytes(block: Buffer, start: number, length: number): string {
  if (block[start] === 0) return '';
  const limit = start + length;
  let end = start + 1;
  while (end < limit && block[end] !== 0) end++;
  return block.toString('latin1', start, end);
}

/** True when all 512 bytes are zero: one half of the end mark. */
export function isZeroBlock(block: Uint8Array, start: number): boolean {
  for (let index = start; index < start + BLOCK_SIZE; index++) {
    if (block[index] !== 0) return false;
  }
  return true;
}

/** Compares the checksum with both sums in use: unsigned bytes (POSIX) and signed bytes (old Sun and BSD tars). */
export function checksumMatches(block: Uint8Array, start: number, stored: number): boolean {
  // The field itself (148 to 155) counts as eight blanks.
  const unsigned = 8 * 0x20 + sum(block, start, start + 148) + sum(block, start + 156, start + BLOCK_SIZE);
  if (stored === unsigned) return true;
  let negative = 0;
  for (let index = start; index < start + BLOCK_SIZE; index++) {
    const isField = index >= start + 148 && index < start + 156;
    if (!isField && (block[index] ?? 0) >= 0x80) negative++;
  }
  return stored === unsigned - 256 * negative;
}

/** The sum of the bytes in a range; kept apart because it runs over every header. */
export function sum(block: Uint8Array, start: number, end: number): number {
  let total = 0;
  for (let index = start; index < end; index++) total += block[index] ?? 0;
  return total;
}

/** True when every byte is ASCII, as POSIX wants header fields to be. */
export function isAscii(bytes: string): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (bytes.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}

import type { TarEntry, TarEntryType } from './entry.ts';
import { isAscii, sum } from './fields.ts';

const TYPEFLAGS: Readonly<Record<TarEntryType, number>> = {
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
};

/** Biggest numbers of an octal field of 8 and of 12 bytes, a NUL at the end. */
export const MAX_OCTAL_8: number = 8 ** 7 - 1;
export const MAX_OCTAL_12: number = 8 ** 11 - 1;

const NAME_SIZE = 100;

/**
 * Writes the ustar header of an entry into the 512 bytes at `at`. Values that do not fit are left 0 or cut, as Go's
 * archive/tar does: the PAX records before this header carry them. `seconds` is the modification time, rounded down.
 */
export function writeHeader(block: Buffer, at: number, entry: TarEntry, name: string, seconds: number): void {
  block.fill(0, at, at + 512);
  writeName(block, at, name);
  writeOctal(block, at + 100, 7, entry.mode & 0o7777);
  writeOctal(block, at + 108, 7, entry.uid > MAX_OCTAL_8 ? 0 : entry.uid);
  writeOctal(block, at + 116, 7, entry.gid > MAX_OCTAL_8 ? 0 : entry.gid);
  writeOctal(block, at + 124, 11, entry.type !== 'file' || entry.size > MAX_OCTAL_12 ? 0 : entry.size);
  writeOctal(block, at + 136, 11, seconds < 0 || seconds > MAX_OCTAL_12 ? 0 : seconds);
  block[at + 156] = TYPEFLAGS[entry.type];
  if (entry.linkName !== undefined) writeName(block, at + 157, entry.linkName);
  if (entry.uname !== undefined) block.write(asciiPart(entry.uname), at + 265, 32, 'latin1');
  if (entry.gname !== undefined) block.write(asciiPart(entry.gname), at + 297, 32, 'latin1');
  writeOctal(block, at + 329, 7, entry.devMajor ?? 0);
  writeOctal(block, at + 337, 7, entry.devMinor ?? 0);
  finishHeader(block, at);
}

/** Writes the header of a PAX `x` entry: everything but its name, size and type is zero. */
export function writePaxHeader(block: Buffer, at: number, name: string, size: number): void {
  block.fill(0, at, at + 512);
  block.write(asciiPart(name).slice(0, NAME_SIZE).replace(/\/+$/, ''), at, NAME_SIZE, 'latin1');
  writeOctal(block, at + 100, 7, 0);
  writeOctal(block, at + 108, 7, 0);
  writeOctal(block, at + 116, 7, 0);
  writeOctal(block, at + 124, 11, size);
  writeOctal(block, at + 136, 11, 0);
  block[at + 156] = 0x78;
  finishHeader(block, at);
}

function writeName(block: Buffer, at: number, name: string): void {
  const text = asciiPart(name);
  block.write(text, at, NAME_SIZE, 'latin1');
  // A name cut right after a slash would make old readers take a file for a directory.
  if (text.length > NAME_SIZE) {
    for (let end = at + NAME_SIZE - 1; end >= at && block[end] === 0x2f; end--) block[end] = 0;
  }
}

/** What Go's archive/tar leaves of a text in a header field: its ASCII bytes. */
function asciiPart(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  let ascii = '';
  for (const character of bytes) if (character < '\u0080') ascii += character;
  return ascii;
}

/** `digits` octal digits with leading zeros; the byte after them stays NUL. */
function writeOctal(block: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    // Division, not shifts: sizes go beyond 32 bits.
    const next = Math.floor(rest / 8);
    block[index] = 0x30 + (rest - next * 8);
    rest = next;
  }
}

function finishHeader(block: Buffer, at: number): void {
  block.write('ustar\u000000', at + 257, 8, 'latin1');
  // The checksum field is still zero, and nothing is ever written beyond the device numbers.
  writeOctal(block, at + 148, 6, 8 * 0x20 + sum(block, at, at + 345));
  block[at + 155] = 0x20;
}

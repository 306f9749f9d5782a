import { checksumMatches, isAscii, parseBytes, parseNumber } from './fields.ts';
import { tarInvalid } from './tar-error.ts';

/** The dialects a header block may be in, told apart by its magic as Go's archive/tar does. */
export type TarFormat = 'v7' | 'ustar' | 'star' | 'gnu';

/** One header block as stored, before PAX records and long names. Names are bytes, one per code unit. */
export interface RawHeader {
  readonly format: TarFormat;
  /** Character of the typeflag field; `'\0'` for the oldest archives. */
  readonly typeflag: string;
  /** With the ustar prefix joined on. */
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Whole seconds, may be negative. */
  readonly mtime: number;
  readonly uname: string;
  readonly gname: string;
}

/** Reads the 512 bytes at `start` (POSIX.1-2017 pax, "ustar Interchange Format"). Throws TAR_INVALID naming `offset`. */
export function parseRawHeader(block: Buffer, start: number, offset: number): RawHeader {
  const checksum = parseNumber(block, start + 148, 8, 'checksum', offset);
  if (!checksumMatches(block, start, checksum)) {
    throw tarInvalid('the header checksum does not match', offset, {
      hint: 'The file is not a tar archive, is damaged, or is compressed.',
    });
  }
  const format = formatOf(block, start);
  const size = parseNumber(block, start + 124, 12, 'size', offset);
  if (size < 0) throw tarInvalid('the size is negative', offset);
  let name = parseBytes(block, start, 100);
  const prefix = prefixOf(block, start, format);
  if (prefix !== '') name = `${prefix}/${name}`;
  return {
    format,
    typeflag: String.fromCharCode(block[start + 156] ?? 0),
    name,
    linkName: parseBytes(block, start + 157, 100),
    mode: parseNumber(block, start + 100, 8, 'mode', offset),
    uid: parseNumber(block, start + 108, 8, 'uid', offset),
    gid: parseNumber(block, start + 116, 8, 'gid', offset),
    size,
    mtime: parseNumber(block, start + 136, 12, 'mtime', offset),
    uname: format === 'v7' ? '' : parseBytes(block, start + 265, 32),
    gname: format === 'v7' ? '' : parseBytes(block, start + 297, 32),
  };
}

/** The device number halves, which mean something only in a header of a device. */
export function parseDeviceNumbers(block: Buffer, start: number, offset: number): { major: number; minor: number } {
  if (formatOf(block, start) === 'v7') return { major: 0, minor: 0 };
  const major = parseNumber(block, start + 329, 8, 'devmajor', offset);
  const minor = parseNumber(block, start + 337, 8, 'devminor', offset);
  if (major < 0 || minor < 0) throw tarInvalid('the device number is negative', offset);
  return { major, minor };
}

function formatOf(block: Buffer, start: number): TarFormat {
  // 'ustar' NUL (POSIX), then maybe star's trailer; 'ustar' blank blank NUL (GNU); anything else is V7.
  if (block.readUInt32BE(start + 257) !== 0x75737461 || block[start + 261] !== 0x72) return 'v7';
  const next = block[start + 262];
  if (next === 0) return block.readUInt32BE(start + 508) === 0x74617200 ? 'star' : 'ustar';
  return next === 0x20 && block[start + 263] === 0x20 && block[start + 264] === 0 ? 'gnu' : 'v7';
}

function prefixOf(block: Buffer, start: number, format: TarFormat): string {
  if (format === 'v7' || block[start + 345] === 0) return '';
  if (format === 'ustar') return parseBytes(block, start + 345, 155);
  if (format === 'star') return parseBytes(block, start + 345, 131);
  // GNU keeps atime and ctime where POSIX has the prefix. Docker's layers made with Go before 1.8 put a prefix there all
  // the same; Go's reader therefore takes non-numeric ASCII in that place for a prefix, and so must we.
  try {
    parseNumber(block, start + 345, 12, 'atime', 0);
    if (block[start + 357] !== 0) parseNumber(block, start + 357, 12, 'ctime', 0);
    return '';
  } catch {
    const prefix = parseBytes(block, start + 345, 155);
    return isAscii(prefix) ? prefix : '';
  }
}

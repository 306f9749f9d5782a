import type { SparseRecords } from './sparse-map.ts';
import { tarInvalid } from './tar-error.ts';

/** The PAX records that mean something to us (POSIX pax "Extended Header Keywords", star's xattrs, GNU sparse). */
export interface PaxRecords {
  path?: string;
  linkPath?: string;
  size?: number;
  uid?: number;
  gid?: number;
  uname?: string;
  gname?: string;
  mtimeNs?: bigint;
  xattrs?: Map<string, Buffer>;
  sparse?: SparseRecords;
}

const XATTR_PREFIX = 'SCHILY.xattr.';

/**
 * Reads the content of an `x` or `g` header: records of `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record in
 * bytes, so that values may hold any byte. The last of several equal keys wins and an empty value takes the record
 * back (for an attribute it is an empty attribute). `hdrcharset` changes nothing: names are bytes to us. Unknown keys
 * are passed over. Throws TAR_INVALID, with `offset` (of the content), for records that do not add up, a NUL in a key
 * or in a name, and numbers that are none.
 */
export function parsePaxRecords(bytes: Buffer, offset: number): PaxRecords {
  const records: PaxRecords = {};
  let at = 0;
  while (at < bytes.length) {
    const end = at + recordLength(bytes, at, offset);
    const blank = bytes.indexOf(0x20, at);
    const equals = bytes.indexOf(0x3d, blank);
    if (end > bytes.length || bytes[end - 1] !== 0x0a || equals <= blank + 1 || equals >= end) {
      throw tarInvalid('a PAX record is malformed', offset + at);
    }
    const key = bytes.toString('latin1', blank + 1, equals);
    if (key.includes('\0')) throw tarInvalid('a PAX key holds a NUL', offset + at);
    applyRecord(records, key, bytes.subarray(equals + 1, end - 1), offset + at);
    at = end;
  }
  return records;
}

function recordLength(bytes: Buffer, start: number, offset: number): number {
  let length = 0;
  let at = start;
  for (; at < bytes.length && at < start + 8; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  // "5 k=\n" is the shortest record.
  if (at === start || bytes[at] !== 0x20 || length < 5) {
    throw tarInvalid('the length of a PAX record is malformed', offset + start);
  }
  return length;
}

function applyRecord(records: PaxRecords, key: string, value: Buffer, offset: number): void {
  switch (key) {
    case 'path':
      return setOrDelete(records, 'path', textOf(value, key, offset));
    case 'linkpath':
      return setOrDelete(records, 'linkPath', textOf(value, key, offset));
    case 'uname':
      return setOrDelete(records, 'uname', textOf(value, key, offset));
    case 'gname':
      return setOrDelete(records, 'gname', textOf(value, key, offset));
    case 'size':
      return setOrDelete(records, 'size', parseInteger(value, key, offset));
    case 'uid':
      return setOrDelete(records, 'uid', parseInteger(value, key, offset));
    case 'gid':
      return setOrDelete(records, 'gid', parseInteger(value, key, offset));
    case 'mtime':
      return setOrDelete(records, 'mtimeNs', parseTime(value, offset));
  }
  if (key.startsWith(XATTR_PREFIX)) {
    records.xattrs ??= new Map();
    // A copy: the bytes belong to a buffer that is used again.
    records.xattrs.set(key.slice(XATTR_PREFIX.length), Buffer.from(value));
  } else if (key.startsWith('GNU.sparse.')) {
    records.sparse ??= { map: [] };
    applySparseRecord(records.sparse, key.slice('GNU.sparse.'.length), value, offset);
  }
}

function setOrDelete<K extends keyof PaxRecords>(records: PaxRecords, key: K, value: PaxRecords[K] | undefined): void {
  if (value === undefined) delete records[key];
  else records[key] = value;
}

function applySparseRecord(sparse: SparseRecords, key: string, value: Buffer, offset: number): void {
  const name = `GNU.sparse.${key}`;
  switch (key) {
    case 'major':
      sparse.major = value.toString('latin1');
      break;
    case 'minor':
      sparse.minor = value.toString('latin1');
      break;
    case 'name':
      sparse.name = textOf(value, name, offset) ?? '';
      break;
    case 'size':
    case 'realsize':
      sparse.realSize = parseInteger(value, name, offset) ?? 0;
      break;
    case 'offset':
    case 'numbytes':
      // Version 0.0: the two keys alternate, once per segment.
      if ((sparse.map.length % 2 === 0) !== (key === 'offset')) {
        throw tarInvalid('the records of a sparse map are out of order', offset);
      }
      sparse.map.push(parseInteger(value, name, offset) ?? 0);
      break;
    case 'map':
      // Version 0.1: all numbers in one record.
      sparse.map = [];
      for (const number of value.length === 0 ? [] : value.toString('latin1').split(',')) {
        sparse.map.push(parseDecimal(number, name, offset));
      }
      break;
  }
}

function textOf(value: Buffer, key: string, offset: number): string | undefined {
  if (value.length === 0) return undefined;
  if (value.includes(0)) throw tarInvalid(`the PAX record ${key} holds a NUL`, offset);
  return value.toString('latin1');
}

function parseInteger(value: Buffer, key: string, offset: number): number | undefined {
  return value.length === 0 ? undefined : parseDecimal(value.toString('latin1', 0, 32), key, offset);
}

function parseDecimal(text: string, key: string, offset: number): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw tarInvalid(`the PAX record ${key} is not a number in range`, offset);
  return number;
}

/** Seconds with a fraction of any length, cut to nanoseconds; `-1.5` is one and a half seconds before 1970. */
function parseTime(value: Buffer, offset: number): bigint | undefined {
  if (value.length === 0) return undefined;
  const match = /^(-?)(\d{1,16})(?:\.(\d*))?$/.exec(value.toString('latin1', 0, 256));
  if (match === null) throw tarInvalid('the PAX record mtime is not a time', offset);
  const [, sign, seconds = '0', fraction = ''] = match;
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -nanoseconds : nanoseconds;
}

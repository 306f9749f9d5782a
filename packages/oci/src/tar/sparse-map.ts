import { BLOCK_SIZE, parseNumber } from './fields.ts';
import { tarInvalid, tarLimit } from './tar-error.ts';

/** A run of stored bytes in a sparse file; what lies between the runs is zero. */
export interface SparseSegment {
  /** Where the bytes belong in the expanded file. */
  readonly offset: number;
  /** Bytes, never 0. */
  readonly length: number;
}

/** GNU.sparse.* records as found: version 0.0 and 0.1 carry the map, 1.0 puts it before the content. */
export interface SparseRecords {
  major?: string;
  minor?: string;
  name?: string;
  realSize?: number;
  /** Offset and length in turn. */
  map: number[];
}

/** Where the map of a PAX sparse file is; throws TAR_INVALID for versions nobody has defined. */
export function sparseVersion(records: SparseRecords, offset: number): 'records' | 'content' | 'none' {
  const { major, minor } = records;
  if (major === '1' && minor === '0') return 'content';
  if (major === undefined && minor === undefined) return records.map.length > 0 ? 'records' : 'none';
  // Version 0.0 may lack either number.
  if ((major ?? '0') === '0' && (minor === undefined || minor === '0' || minor === '1')) return 'records';
  throw tarInvalid('the version of the sparse format is unknown', offset);
}

/**
 * Checks a map (offset and length in turn) against the expanded size and the stored size, and drops its empty runs.
 * Throws TAR_INVALID when runs overlap, go backwards, leave the file, or do not use up exactly what is stored.
 */
export function segmentsOf(
  map: readonly number[],
  realSize: number,
  storedSize: number,
  offset: number,
): readonly SparseSegment[] {
  if (map.length % 2 !== 0) throw tarInvalid('the sparse map is cut off', offset);
  const segments: SparseSegment[] = [];
  let end = 0;
  let stored = 0;
  for (let index = 0; index < map.length; index += 2) {
    const start = map[index] ?? 0;
    const length = map[index + 1] ?? 0;
    if (start < end || length < 0 || start + length > realSize)
      throw tarInvalid('the sparse map is not in order', offset);
    end = start + length;
    stored += length;
    if (length > 0) segments.push({ offset: start, length });
  }
  if (stored !== storedSize) throw tarInvalid('the sparse map does not match the stored size', offset);
  return segments;
}

/** Old GNU sparse files (`S`): four runs in the header, then blocks of 21 as long as each says that one follows. */
export class OldGnuMap {
  readonly map: number[] = [];
  readonly realSize: number;
  readonly #maxBytes: number;
  #ended = false;

  constructor(block: Buffer, start: number, offset: number, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.realSize = parseNumber(block, start + 483, 12, 'real size', offset);
    if (this.realSize < 0) throw tarInvalid('the real size of a sparse file is negative', offset);
    this.#collect(block, start + 386, 4, offset);
  }

  /** True when the header says that a further map block follows. */
  static isExtended(block: Buffer, start: number): boolean {
    return block[start + 482] !== 0;
  }

  /** Takes one further map block; true when yet another follows. */
  extend(block: Buffer, start: number, offset: number): boolean {
    this.#collect(block, start, 21, offset);
    if (this.map.length * 12 > this.#maxBytes) throw tarLimit('the sparse map is too long', offset, 'maxMetadataBytes');
    return block[start + 504] !== 0;
  }

  #collect(block: Buffer, start: number, count: number, offset: number): void {
    for (let index = 0; index < count && !this.#ended; index++) {
      const at = start + index * 24;
      // An unused slot ends the map.
      this.#ended = block[at] === 0;
      if (this.#ended) return;
      this.map.push(parseNumber(block, at, 12, 'sparse offset', offset));
      this.map.push(parseNumber(block, at + 12, 12, 'sparse length', offset));
    }
  }
}

/** The map of PAX sparse 1.0, at the head of the content: decimal numbers on lines, the first counts the pairs. */
export class ContentMap {
  readonly map: number[] = [];
  readonly #maxBytes: number;
  #pairs: number | undefined;
  #digits = '';
  /** Bytes of the content used up by the map, padding included. */
  storedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes one block; true when the map needs another. */
  add(block: Buffer, start: number, offset: number): boolean {
    this.storedBytes += BLOCK_SIZE;
    if (this.storedBytes > this.#maxBytes) throw tarLimit('the sparse map is too long', offset, 'maxMetadataBytes');
    for (let index = start; index < start + BLOCK_SIZE; index++) {
      const byte = block[index] ?? 0;
      if (byte !== 0x0a) {
        if (byte < 0x30 || byte > 0x39 || this.#digits.length >= 16)
          throw tarInvalid('the sparse map is malformed', offset);
        this.#digits += String.fromCharCode(byte);
        continue;
      }
      this.#number(offset);
      if (this.map.length === 2 * (this.#pairs ?? 0)) return false;
    }
    return true;
  }

  #number(offset: number): void {
    const value = Number(this.#digits);
    if (this.#digits === '' || !Number.isSafeInteger(value)) throw tarInvalid('the sparse map is malformed', offset);
    this.#digits = '';
    if (this.#pairs === undefined) this.#pairs = value;
    else this.map.push(value);
  }
}

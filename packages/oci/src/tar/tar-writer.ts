import { readSync } from 'node:fs';
import { posix } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { fromByteString } from '../bytes.ts';
import type { TarEntry } from './entry.ts';
import { BLOCK_SIZE, paddingOf } from './fields.ts';
import { MAX_OCTAL_8, writeHeader, writePaxHeader } from './header-writer.ts';
import { needsPax, paxRecordsFor } from './pax-writer.ts';
import { tarWriteError } from './write-error.ts';

/** Bytes gathered before the sink is called. */
const BUFFER_SIZE = 1024 * 1024;

/**
 * Writes a tar stream as Go's archive/tar in PAX format does, byte for byte the form of BuildKit's layers: ustar
 * headers, preceded by PAX records only where needed (long or non-ASCII names, ids from 2^21, times that are not whole
 * seconds or before 1970, attributes), directories with a trailing slash, two zero blocks at the end. The bytes depend
 * on the entries alone. The sink gets blocks of up to 1 MiB that are valid only during the call.
 */
export class TarWriter {
  readonly #sink: (chunk: Uint8Array) => void;
  readonly #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #filled = 0;
  #flushed = 0;
  #entry: TarEntry | undefined;
  /** Content bytes that the open entry still owes. */
  #remaining = 0;
  #padding = 0;
  #lastTime = 0n;
  #lastSeconds = 0;
  #lastIsWhole = true;

  constructor(sink: (chunk: Uint8Array) => void) {
    this.#sink = sink;
  }

  /** Bytes written so far: after {@link writeEntry}, where the content of that entry begins. */
  get offset(): number {
    return this.#flushed + this.#filled;
  }

  /**
   * Writes the header of an entry; a file's content (`entry.size` bytes) has to follow. Throws TAR_WRITE for an entry
   * that tar cannot express and when the content of the one before is not complete.
   */
  writeEntry(entry: TarEntry): void {
    this.endEntry();
    checkEntry(entry);
    const name = entry.type === 'directory' ? `${entry.path === '' ? '.' : entry.path}/` : entry.path;
    const seconds = this.#secondsOf(entry.mtimeNs);
    const isWhole = entry.mtimeNs === this.#lastTime && this.#lastIsWhole;
    if (!isWhole || needsPax(entry, name, seconds)) this.#writePax(entry, name, seconds);
    writeHeader(this.#buffer, this.#reserve(BLOCK_SIZE), entry, name, seconds);
    this.#entry = entry;
    this.#remaining = entry.type === 'file' ? entry.size : 0;
    this.#padding = paddingOf(this.#remaining);
  }

  /** Writes content of the open entry. A chunk is copied or passed on at once: it may be changed after the call. */
  writeData(chunk: Uint8Array): void {
    if (chunk.length > this.#remaining) throw this.#sizeError('more content than its size');
    this.#remaining -= chunk.length;
    this.#append(chunk);
  }

  /**
   * Writes the next `size` bytes of an open file (from its position) as content, read straight into the output block.
   * A file that has grown is cut there, as GNU tar does; one that has shrunk throws FILE_CHANGED.
   */
  writeFileContent(fd: number, size: number): void {
    if (size > this.#remaining) throw this.#sizeError('more content than its size');
    for (let left = size; left > 0; ) {
      if (this.#filled === BUFFER_SIZE) this.#flush();
      const count = readSync(fd, this.#buffer, this.#filled, Math.min(left, BUFFER_SIZE - this.#filled), null);
      if (count === 0) throw this.#shrunkError(left);
      this.#filled += count;
      this.#remaining -= count;
      left -= count;
    }
  }

  /** Closes the open entry; called by {@link writeEntry} and {@link finish} too. Throws TAR_WRITE when content is missing. */
  endEntry(): void {
    if (this.#entry === undefined) return;
    if (this.#remaining > 0) throw this.#sizeError(`${this.#remaining} bytes of its content are missing`);
    this.#zeros(this.#padding);
    this.#entry = undefined;
  }

  /** Writes the end mark and hands the last block to the sink. */
  finish(): void {
    this.endEntry();
    this.#zeros(BLOCK_SIZE);
    this.#zeros(BLOCK_SIZE);
    this.#flush();
  }

  /** Seconds, rounded down. Layers tend to repeat one time, and bigint division is slow: the last answer is kept. */
  #secondsOf(nanoseconds: bigint): number {
    if (nanoseconds !== this.#lastTime) {
      const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
      this.#lastTime = nanoseconds;
      this.#lastSeconds = Number((nanoseconds - rest) / 1_000_000_000n);
      this.#lastIsWhole = rest === 0n;
    }
    return this.#lastSeconds;
  }

  #writePax(entry: TarEntry, name: string, seconds: number): void {
    const records = paxRecordsFor(entry, name, seconds);
    if (records === undefined) return;
    // Go's path.Split and path.Join: a directory's records are named after what is in it.
    const cut = name.lastIndexOf('/') + 1;
    const paxName = posix.join(name.slice(0, cut), 'PaxHeaders.0', name.slice(cut));
    writePaxHeader(this.#buffer, this.#reserve(BLOCK_SIZE), paxName, records.length);
    this.#append(records);
    this.#zeros(paddingOf(records.length));
  }

  /** Room for `size` (at most a block) contiguous bytes; where they begin is the answer. */
  #reserve(size: number): number {
    if (BUFFER_SIZE - this.#filled < size) this.#flush();
    const at = this.#filled;
    this.#filled += size;
    return at;
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length >= BUFFER_SIZE) {
      this.#flush();
      this.#flushed += bytes.length;
      this.#sink(bytes);
      return;
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled === BUFFER_SIZE) this.#flush();
      const length = Math.min(bytes.length - at, BUFFER_SIZE - this.#filled);
      this.#buffer.set(length === bytes.length ? bytes : bytes.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
    }
  }

  #zeros(length: number): void {
    if (length === 0) return;
    const at = this.#reserve(length);
    this.#buffer.fill(0, at, at + length);
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const chunk = this.#buffer.subarray(0, this.#filled);
    this.#flushed += this.#filled;
    this.#filled = 0;
    this.#sink(chunk);
  }

  #sizeError(what: string): BoxwrightError {
    if (this.#entry === undefined) return new BoxwrightError('TAR_WRITE', 'tar content without an entry');
    return tarWriteError(this.#entry.path, what);
  }

  #shrunkError(missing: number): BoxwrightError {
    const path = this.#entry === undefined ? '' : escapeForTerminal(fromByteString(this.#entry.path));
    return new BoxwrightError('FILE_CHANGED', `${JSON.stringify(path)} shrank by ${missing} bytes while it was read`, {
      hint: 'Something else is writing to this file: try again when it has finished.',
      details: { path, missing },
    });
  }
}

function checkEntry(entry: TarEntry): void {
  const { path, type, linkName } = entry;
  if (path === '' && type !== 'directory') throw tarWriteError(path, `a ${type} needs a name`);
  if (path.includes('\0') || linkName?.includes('\0') === true) throw tarWriteError(path, 'its name holds a NUL');
  if ((type === 'symlink' || type === 'hardlink') && (linkName === undefined || linkName === '')) {
    throw tarWriteError(path, `a ${type} needs a target`);
  }
  if (type === 'file' && !isWhole(entry.size, Number.MAX_SAFE_INTEGER))
    throw tarWriteError(path, 'its size is not a number of bytes');
  if (!isWhole(entry.uid, 0xffff_ffff) || !isWhole(entry.gid, 0xffff_ffff))
    throw tarWriteError(path, 'its uid or gid is out of range');
  if (!isWhole(entry.devMajor ?? 0, MAX_OCTAL_8) || !isWhole(entry.devMinor ?? 0, MAX_OCTAL_8)) {
    throw tarWriteError(path, 'its device number is out of range');
  }
}

function isWhole(value: number, largest: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= largest;
}

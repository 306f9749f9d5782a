import { fstatSync, readSync } from 'node:fs';
import type { TarEntry } from './entry.ts';
import { EntryAssembler } from './entry-assembler.ts';
import { BLOCK_SIZE, isZeroBlock, paddingOf } from './fields.ts';
import type { TarReadOptions } from './limits.ts';
import { emitZeros, SparseExpander } from './sparse-expander.ts';
import type { SparseSegment } from './sparse-map.ts';
import { tarInvalid } from './tar-error.ts';

/** One entry of a tar file on disk and where its content lies. */
export interface ScannedEntry {
  readonly entry: TarEntry;
  /** Offset of the first stored byte of content in the file. */
  readonly dataOffset: number;
  /** Only for sparse files: the stored runs, which follow each other from `dataOffset` on. */
  readonly sparse?: readonly SparseSegment[];
}

/** How {@link scanTar} may be adjusted. */
export interface ScanOptions extends TarReadOptions {
  /** Bytes of the archive; needed when `fd` is not a regular file. Default: the size of the file. */
  readonly size?: number;
}

const SMALLEST_WINDOW = 8 * 1024;
const LARGEST_WINDOW = 1024 * 1024;

/**
 * Lists the entries of a tar file without reading their content (`pread`: the file position does not matter and does
 * not move). Reads ahead in windows that grow while entries are small. Same rules and errors as {@link TarReader}.
 */
export function* scanTar(fd: number, options: ScanOptions = {}): Generator<ScannedEntry, void, undefined> {
  const size = options.size ?? fstatSync(fd).size;
  const window = new ReadWindow(fd, size);
  const assembler = new EntryAssembler(options);
  let offset = 0;
  let zeroBlocks = 0;
  while (offset < size) {
    const at = window.require(offset, BLOCK_SIZE);
    const block = window.bytes;
    if (block[at] === 0 && isZeroBlock(block, at)) {
      if (assembler.isPending) throw tarInvalid('the archive ends after an extended header', offset);
      if (++zeroBlocks === 2) return;
      offset += BLOCK_SIZE;
      continue;
    }
    if (zeroBlocks > 0) throw tarInvalid('a header follows a lone zero block', offset);
    let step = assembler.header(block, at, offset);
    offset += BLOCK_SIZE;
    if (step === 'metadata') {
      const length = assembler.metadataSize;
      const start = length === 0 ? 0 : window.require(offset, length);
      assembler.metadata(window.bytes.subarray(start, start + length), offset);
      offset = skip(offset, length, size);
      continue;
    }
    while (step === 'sparse') {
      step = assembler.sparseBlock(window.bytes, window.require(offset, BLOCK_SIZE), offset);
      offset += BLOCK_SIZE;
    }
    const { entry, segments } = assembler;
    const dataOffset = offset;
    offset = skip(offset, assembler.storedSize, size);
    yield segments === undefined ? { entry, dataOffset } : { entry, dataOffset, sparse: segments };
  }
  if (assembler.isPending) throw truncated(size);
}

/**
 * The content of a scanned file, sparse files expanded, in chunks that are valid during the call only.
 * Throws TAR_INVALID when the file has become shorter since it was scanned.
 */
export function readScannedContent(fd: number, scanned: ScannedEntry, onChunk: (chunk: Buffer) => void): void {
  const { entry, dataOffset, sparse } = scanned;
  const stored = sparse === undefined ? entry.size : sparse.reduce((sum, segment) => sum + segment.length, 0);
  const expander =
    sparse === undefined
      ? undefined
      : new SparseExpander(sparse, entry.size, { data: onChunk, hole: (length) => emitZeros(length, onChunk) });
  const buffer = Buffer.allocUnsafe(Math.min(stored, LARGEST_WINDOW));
  for (let done = 0; done < stored; ) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, stored - done), dataOffset + done);
    if (count === 0) throw truncated(dataOffset + done);
    const chunk = buffer.subarray(0, count);
    if (expander === undefined) onChunk(chunk);
    else expander.push(chunk);
    done += count;
  }
  expander?.end();
}

/** Where the next header is. The content must lie within the file, its padding too. */
function skip(offset: number, length: number, size: number): number {
  const next = offset + length + paddingOf(length);
  if (next > size) throw truncated(size);
  return next;
}

function truncated(offset: number): Error {
  return tarInvalid('the archive ends in the middle of an entry', offset, {
    hint: 'The archive is truncated: fetch or make it again.',
  });
}

/** A part of the file in memory; doubles while reading goes straight on, shrinks when it jumps. */
class ReadWindow {
  readonly #fd: number;
  readonly #size: number;
  #start = 0;
  #length = 0;
  #want = SMALLEST_WINDOW;
  bytes: Buffer = Buffer.allocUnsafeSlow(SMALLEST_WINDOW);

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /** Makes `count` bytes from `offset` on available; where in `bytes` they begin is the answer. */
  require(offset: number, count: number): number {
    const at = offset - this.#start;
    if (at >= 0 && at + count <= this.#length) return at;
    if (offset + count > this.#size) throw truncated(this.#size);
    const end = this.#start + this.#length;
    const isNear = offset >= this.#start && offset < end + this.#want;
    this.#want = isNear ? Math.min(this.#want * 2, LARGEST_WINDOW) : SMALLEST_WINDOW;
    const wanted = Math.max(this.#want, count);
    if (this.bytes.length < wanted) this.bytes = Buffer.allocUnsafeSlow(wanted);
    this.#start = offset;
    this.#length = 0;
    const limit = Math.min(wanted, this.#size - offset);
    // One read is enough for a regular file; a short one is followed up only as far as it is needed.
    do {
      const read = readSync(this.#fd, this.bytes, this.#length, limit - this.#length, offset + this.#length);
      if (read === 0) throw truncated(offset + this.#length);
      this.#length += read;
    } while (this.#length < count);
    return 0;
  }
}

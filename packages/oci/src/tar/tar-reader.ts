import type { TarEntry } from './entry.ts';
import { EntryAssembler } from './entry-assembler.ts';
import { BLOCK_SIZE, isZeroBlock, paddingOf } from './fields.ts';
import type { TarReadOptions } from './limits.ts';
import { emitZeros, SparseExpander } from './sparse-expander.ts';
import type { SparseSegment } from './sparse-map.ts';
import { tarInvalid } from './tar-error.ts';

/** Who listens to a {@link TarReader}. A chunk is valid only during the call: it may be part of the caller's buffer. */
export interface TarHandler {
  /**
   * A new entry. `dataOffset`: where its stored content begins, in bytes from the start of the archive; `sparse`: the
   * stored runs of a sparse file, which follow each other from there on (as in `ScannedEntry`).
   */
  entry(entry: TarEntry, dataOffset: number, sparse?: readonly SparseSegment[]): void;
  /** The next bytes of the entry's content, sparse files expanded. */
  data?(chunk: Buffer): void;
  /** `length` zero bytes of a sparse file; without this method they come as `data`. */
  hole?(length: number): void;
  /** All content of the entry has been given out. Called for every entry, also for those without content. */
  endEntry?(): void;
}

/** What the next bytes are. */
type State = 'header' | 'metadata' | 'sparse' | 'content' | 'padding' | 'ended';

/**
 * Push parser of a tar stream: ustar, PAX, GNU and V7, sparse files of all four kinds. Chunks may be of any size;
 * content is passed on without copying. The archive ends with two zero blocks; what comes after them is ignored, and
 * an archive that ends on a block border after a whole entry without them is accepted (`sawEndMark` tells), as GNU tar
 * and Go do. Any other cut is TAR_INVALID. After a throw the reader refuses further use.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #assembler: EntryAssembler;
  readonly #scratch: Buffer = Buffer.allocUnsafeSlow(BLOCK_SIZE);
  #state: State = 'header';
  /** Where the collected piece goes: `#scratch`, or a buffer for long metadata. */
  #piece: Buffer = this.#scratch;
  #pieceFilled = 0;
  /** Bytes of content or padding still to come. */
  #remaining = 0;
  #padding = 0;
  #offset = 0;
  #zeroBlocks = 0;
  #expander: SparseExpander | undefined;
  #broken = false;

  constructor(handler: TarHandler, options: TarReadOptions = {}) {
    this.#handler = handler;
    this.#assembler = new EntryAssembler(options);
  }

  /** True once both zero blocks of the end mark were read. */
  get sawEndMark(): boolean {
    return this.#state === 'ended';
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Takes the next bytes of the archive; throws TAR_INVALID. */
  push(chunk: Uint8Array): void {
    if (this.#broken) throw tarInvalid('reading goes on after a failure', this.#offset);
    this.#broken = true;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      const used = this.#consume(bytes, at);
      at += used;
      this.#offset += used;
    }
    this.#broken = false;
  }

  /** The archive is complete; throws TAR_INVALID when it was cut off. */
  end(): void {
    if (this.#broken) throw tarInvalid('reading goes on after a failure', this.#offset);
    if (this.#state === 'ended') return;
    if (this.#state !== 'header' || this.#pieceFilled > 0 || this.#assembler.isPending) {
      throw tarInvalid('the archive ends in the middle of an entry', this.#offset, {
        hint: 'The archive is truncated: fetch or make it again.',
      });
    }
  }

  /** Handles some bytes from `at` on, at least one; how many is the answer. */
  #consume(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'header':
      case 'sparse':
        return this.#consumeBlock(bytes, at);
      case 'metadata':
        return this.#consumeMetadata(bytes, at);
      case 'content':
        return this.#consumeContent(bytes, at);
      case 'padding': {
        const length = Math.min(this.#padding, bytes.length - at);
        this.#padding -= length;
        if (this.#padding === 0) this.#state = 'header';
        return length;
      }
      case 'ended':
        break;
    }
    // What follows the end mark is of no interest.
    return bytes.length - at;
  }

  #consumeBlock(bytes: Buffer, at: number): number {
    if (this.#pieceFilled === 0 && bytes.length - at >= BLOCK_SIZE) {
      this.#takeBlock(bytes, at, this.#offset);
      return BLOCK_SIZE;
    }
    const length = this.#collect(this.#scratch, BLOCK_SIZE, bytes, at);
    if (this.#pieceFilled === BLOCK_SIZE) {
      this.#pieceFilled = 0;
      this.#takeBlock(this.#scratch, 0, this.#offset + length - BLOCK_SIZE);
    }
    return length;
  }

  #collect(target: Buffer, size: number, bytes: Buffer, at: number): number {
    const length = Math.min(size - this.#pieceFilled, bytes.length - at);
    bytes.copy(target, this.#pieceFilled, at, at + length);
    this.#pieceFilled += length;
    return length;
  }

  /** One whole block, at `offset` of the archive. */
  #takeBlock(block: Buffer, start: number, offset: number): void {
    const next = offset + BLOCK_SIZE;
    if (this.#state === 'sparse') {
      if (this.#assembler.sparseBlock(block, start, offset) === 'entry') this.#beginEntry(next);
      return;
    }
    if (block[start] === 0 && isZeroBlock(block, start)) return this.#takeZeroBlock(offset);
    if (this.#zeroBlocks > 0) throw tarInvalid('a header follows a lone zero block', offset);
    const step = this.#assembler.header(block, start, offset);
    if (step === 'entry') this.#beginEntry(next);
    else if (step === 'sparse') this.#state = 'sparse';
    else this.#beginMetadata(next);
  }

  #takeZeroBlock(offset: number): void {
    if (this.#assembler.isPending) throw tarInvalid('the archive ends after an extended header', offset);
    this.#zeroBlocks++;
    if (this.#zeroBlocks === 2) this.#state = 'ended';
  }

  #beginMetadata(offset: number): void {
    const size = this.#assembler.metadataSize;
    if (size === 0) {
      this.#assembler.metadata(this.#scratch.subarray(0, 0), offset);
      return;
    }
    this.#piece = size <= BLOCK_SIZE ? this.#scratch : Buffer.allocUnsafe(size);
    this.#pieceFilled = 0;
    this.#state = 'metadata';
  }

  #consumeMetadata(bytes: Buffer, at: number): number {
    const size = this.#assembler.metadataSize;
    const length = this.#collect(this.#piece, size, bytes, at);
    if (this.#pieceFilled === size) {
      this.#pieceFilled = 0;
      this.#assembler.metadata(this.#piece.subarray(0, size), this.#offset + length - size);
      this.#piece = this.#scratch;
      this.#expectPadding(paddingOf(size));
    }
    return length;
  }

  #beginEntry(dataOffset: number): void {
    const { entry, segments, storedSize } = this.#assembler;
    this.#handler.entry(entry, dataOffset, segments);
    this.#expander =
      segments === undefined
        ? undefined
        : new SparseExpander(segments, entry.size, {
            data: (chunk) => this.#handler.data?.(chunk),
            hole: (length) => this.#emitHole(length),
          });
    this.#remaining = storedSize;
    this.#padding = paddingOf(storedSize);
    if (storedSize === 0) this.#finishEntry();
    else this.#state = 'content';
  }

  #consumeContent(bytes: Buffer, at: number): number {
    const length = Math.min(this.#remaining, bytes.length - at);
    const chunk = at === 0 && length === bytes.length ? bytes : bytes.subarray(at, at + length);
    if (this.#expander === undefined) this.#handler.data?.(chunk);
    else this.#expander.push(chunk);
    this.#remaining -= length;
    if (this.#remaining === 0) this.#finishEntry();
    return length;
  }

  #finishEntry(): void {
    this.#expander?.end();
    this.#expander = undefined;
    this.#handler.endEntry?.();
    this.#expectPadding(this.#padding);
  }

  #expectPadding(length: number): void {
    this.#padding = length;
    this.#state = length === 0 ? 'header' : 'padding';
  }

  #emitHole(length: number): void {
    if (this.#handler.hole !== undefined) this.#handler.hole(length);
    else if (this.#handler.data !== undefined) emitZeros(length, (chunk) => this.#handler.data?.(chunk));
  }
}

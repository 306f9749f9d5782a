import { compressionInvalid, compressionLimit, compressionUnsupported } from './compression-error.ts';

const MAGIC = 0xfd2fb528;
const MAGIC_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** The largest block of any frame (RFC 8878 3.1.1.2.4). */
const MAX_BLOCK_SIZE = 128 * 1024;
/** Bytes of the dictionary id and of the content size, by their flags. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** What the next bytes of the stream are. */
type Part = 'magic' | 'descriptor' | 'header' | 'blockHeader' | 'block' | 'checksum' | 'skipSize' | 'skip';

/**
 * Finds where zstd frames end (RFC 8878 3.1) without decompressing: Node's decompressor silently stops at the end of
 * the first frame when a chunk goes beyond it, and zstd:chunked layers have thousands. Also refuses big windows before
 * memory is spent on them, dictionaries and junk between frames, and tells whether the stream ended inside a frame.
 */
export class ZstdFrames {
  readonly #windowLog: number;
  #part: Part = 'magic';
  /** Bytes of the part that are still to come. */
  #left = 4;
  /** The part's bytes so far, for all parts that are read here. */
  readonly #fixed: Buffer = Buffer.alloc(16);
  #fixedLength = 0;
  #descriptor = 0;
  #maxBlock = 0;
  #isLastBlock = false;
  #frames = 0;

  /** `windowLog`: the biggest window, as a power of two. */
  constructor(windowLog: number) {
    this.#windowLog = windowLog;
  }

  /** True at a lawful end: between frames, after at least one (a skippable frame counts). */
  get isComplete(): boolean {
    return this.#part === 'magic' && this.#fixedLength === 0 && this.#frames > 0;
  }

  /**
   * The bytes of real frames, no piece going beyond the end of one; skippable frames are left out. Throws
   * COMPRESSION_INVALID, COMPRESSION_LIMIT (window) or COMPRESSION_UNSUPPORTED (dictionary).
   */
  *split(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      const length = Math.min(this.#left, chunk.length - at);
      const part = this.#part;
      if (part !== 'block' && part !== 'skip') {
        this.#fixed.set(chunk.subarray(at, at + length), this.#fixedLength);
        this.#fixedLength += length;
      }
      at += length;
      this.#left -= length;
      if (this.#left > 0) break;
      this.#advance();
      if (part === 'magic') {
        // Held back until it was known what it begins.
        start = length === 4 ? at - 4 : at;
        if (length < 4 && this.#isInFrame) yield MAGIC_BYTES;
      } else if (this.#part === 'magic' && part !== 'skip' && part !== 'skipSize') {
        yield chunk.subarray(start, at);
      }
    }
    if (this.#isInFrame && start < at) yield chunk.subarray(start, at);
  }

  get #isInFrame(): boolean {
    return this.#part !== 'magic' && this.#part !== 'skip' && this.#part !== 'skipSize';
  }

  /** The part is complete: looks at it and says what follows. */
  #advance(): void {
    this.#fixedLength = 0;
    switch (this.#part) {
      case 'magic': {
        const magic = this.#fixed.readUInt32LE(0);
        if (magic === MAGIC) return this.#expect('descriptor', 1);
        if (magic >>> 4 === 0x184d2a5) return this.#expect('skipSize', 4);
        throw compressionInvalid('zstd', this.#frames === 0 ? 'it has no magic number' : 'junk follows the last frame');
      }
      case 'descriptor':
        return this.#readDescriptor();
      case 'header':
        this.#readHeader();
        return this.#expect('blockHeader', 3);
      case 'blockHeader':
        return this.#readBlockHeader();
      case 'block':
        if (!this.#isLastBlock) return this.#expect('blockHeader', 3);
        return (this.#descriptor & 4) === 0 ? this.#endFrame() : this.#expect('checksum', 4);
      case 'skipSize':
        return this.#expect('skip', this.#fixed.readUInt32LE(0));
      case 'checksum':
      case 'skip':
        return this.#endFrame();
    }
  }

  #expect(part: Part, length: number): void {
    this.#part = part;
    this.#left = length;
    if (length === 0) this.#advance();
  }

  #endFrame(): void {
    this.#frames++;
    this.#expect('magic', 4);
  }

  #readDescriptor(): void {
    this.#descriptor = this.#fixed[0] ?? 0;
    if ((this.#descriptor & 8) !== 0) throw compressionInvalid('zstd', 'a reserved bit of a frame header is set');
    const windowBytes = this.#isSingleSegment ? 0 : 1;
    this.#expect('header', windowBytes + this.#dictionaryBytes + this.#contentSizeBytes);
  }

  #readHeader(): void {
    const dictionaryAt = this.#isSingleSegment ? 0 : 1;
    const contentAt = dictionaryAt + this.#dictionaryBytes;
    if (this.#dictionaryBytes > 0 && this.#fixed.readUIntLE(dictionaryAt, this.#dictionaryBytes) !== 0) {
      throw compressionUnsupported('zstd', 'it was made with a dictionary', 'Compress it again without a dictionary.');
    }
    let window: number;
    if (this.#isSingleSegment) {
      // The whole content is the window. Its eight-byte form needs no exact value: all above the limit are refused.
      const bytes = this.#contentSizeBytes;
      window = bytes === 8 ? Number(this.#fixed.readBigUInt64LE(contentAt)) : this.#fixed.readUIntLE(contentAt, bytes);
      if (bytes === 2) window += 256;
    } else {
      const byte = this.#fixed[0] ?? 0;
      const base = 2 ** (10 + (byte >> 3));
      window = base + (base / 8) * (byte & 7);
    }
    if (window > 2 ** this.#windowLog) {
      throw compressionLimit('zstd', `it needs a window of ${window} bytes`, 'zstdWindowLog');
    }
    this.#maxBlock = Math.min(window, MAX_BLOCK_SIZE);
  }

  #readBlockHeader(): void {
    const header = this.#fixed.readUIntLE(0, 3);
    this.#isLastBlock = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3 || size > this.#maxBlock) throw compressionInvalid('zstd', 'a block header is malformed');
    // Type 1 is one byte to be repeated `size` times.
    this.#expect('block', type === 1 ? 1 : size);
  }

  get #isSingleSegment(): boolean {
    return (this.#descriptor & 0x20) !== 0;
  }

  get #dictionaryBytes(): number {
    return DICTIONARY_BYTES[this.#descriptor & 3] ?? 0;
  }

  get #contentSizeBytes(): number {
    const flag = this.#descriptor >> 6;
    return flag === 0 && this.#isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[flag] ?? 0);
  }
}

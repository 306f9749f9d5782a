import { compressionLimit } from './compression-error.ts';
import type { CompressionKind } from './detect-compression.ts';

/** Caps against decompression bombs. */
export interface ExpansionLimits {
  /** Expanded bytes that are always allowed, whatever the ratio. */
  readonly freeBytes: number;
  /** Beyond {@link freeBytes}: expanded bytes for each compressed byte. */
  readonly maxRatio: number;
  /** Expanded bytes that are never exceeded. */
  readonly maxBytes: number;
  /** Compressed size of the whole stream when it is known; else the ratio counts what has been read so far. */
  readonly compressedSize?: number;
  /** Biggest zstd window, as a power of two. */
  readonly zstdWindowLog: number;
}

/** 2 GiB or 200 times the compressed size, whichever is more; zstd windows up to 128 MiB, as every zstd allows. */
export const defaultExpansionLimits: ExpansionLimits = {
  freeBytes: 2 * 1024 ** 3,
  maxRatio: 200,
  maxBytes: Number.MAX_SAFE_INTEGER,
  zstdWindowLog: 27,
};

/** Counts bytes on both sides of a decompressor and throws COMPRESSION_LIMIT when they are out of proportion. */
export class ExpansionGuard {
  readonly limits: ExpansionLimits;
  readonly #kind: CompressionKind;
  #read = 0;
  #expanded = 0;

  constructor(kind: CompressionKind, limits: Partial<ExpansionLimits> = {}) {
    this.#kind = kind;
    this.limits = { ...defaultExpansionLimits, ...limits };
  }

  /** Compressed bytes were handed to the decompressor. */
  read(bytes: number): void {
    this.#read += bytes;
  }

  /** Expanded bytes came out; to be called before they are passed on. */
  expand(bytes: number): void {
    this.#expanded += bytes;
    const { freeBytes, maxRatio, maxBytes, compressedSize } = this.limits;
    if (this.#expanded > maxBytes) {
      throw compressionLimit(this.#kind, `it expands to more than ${maxBytes} bytes`, 'maxBytes');
    }
    const allowed = Math.max(freeBytes, maxRatio * (compressedSize ?? this.#read));
    if (this.#expanded > allowed) {
      throw compressionLimit(
        this.#kind,
        `it expands to more than ${allowed} bytes, ${maxRatio} times its size`,
        'maxRatio',
      );
    }
  }
}

import type { SparseSegment } from './sparse-map.ts';

/** Receives an expanded file in order. */
export interface ExpandedSink {
  data(chunk: Buffer): void;
  hole(length: number): void;
}

/** Puts the stored bytes of a sparse file where they belong, with holes in between. */
export class SparseExpander {
  readonly #segments: readonly SparseSegment[];
  readonly #realSize: number;
  readonly #sink: ExpandedSink;
  #index = 0;
  /** Bytes of the current segment already given out. */
  #used = 0;
  /** Where in the expanded file we are. */
  #position = 0;

  constructor(segments: readonly SparseSegment[], realSize: number, sink: ExpandedSink) {
    this.#segments = segments;
    this.#realSize = realSize;
    this.#sink = sink;
  }

  /** Takes the next stored bytes. */
  push(stored: Buffer): void {
    let at = 0;
    while (at < stored.length) {
      const segment = this.#segments[this.#index];
      if (segment === undefined) throw new Error('more sparse content than its map has room for');
      if (this.#used === 0) this.#advanceTo(segment.offset);
      const length = Math.min(segment.length - this.#used, stored.length - at);
      this.#sink.data(stored.subarray(at, at + length));
      at += length;
      this.#used += length;
      this.#position += length;
      if (this.#used === segment.length) {
        this.#index++;
        this.#used = 0;
      }
    }
  }

  /** The content is complete: gives out the hole at the end. */
  end(): void {
    this.#advanceTo(this.#realSize);
  }

  #advanceTo(position: number): void {
    if (position > this.#position) this.#sink.hole(position - this.#position);
    this.#position = position;
  }
}

const ZEROS: Buffer = Buffer.alloc(64 * 1024);

/** Gives a hole out as zero bytes, for those who want plain content. */
export function emitZeros(length: number, data: (chunk: Buffer) => void): void {
  for (let left = length; left > 0; left -= ZEROS.length) {
    data(left >= ZEROS.length ? ZEROS : ZEROS.subarray(0, left));
  }
}

/** Bytes of one buffer. What a network read brings at most, twice: fewer, larger pieces cost less on their way. */
const BUFFER_BYTES = 128 * 1024;
/** A buffer with less room than this is not read into any more: TLS records have up to 16 KiB. */
const LEAST_ROOM = 16 * 1024;
/** Reading pauses while this many bytes wait for the reader. */
const MAX_WAITING = 2 * BUFFER_BYTES;
/** Buffers kept for later reads. */
const MAX_FREE = 6;

interface Slot {
  readonly bytes: Buffer;
  /** Pieces of it that wait or are in the reader's hands, and one while it is read into. */
  uses: number;
}

interface Piece {
  readonly slot: Slot;
  readonly start: number;
  end: number;
}

/**
 * Buffers that a body is read into, used again and again: per GiB this takes a fifth of the processor time of a new
 * buffer for each read and a copy of it by Node's HTTP parser.
 *
 * A piece that was taken stays as it is until the one after the next is taken.
 */
export class ReadBuffers {
  private readonly free: Slot[] = [];
  private readonly waiting: Piece[] = [];
  /** The last two that were taken. */
  private readonly taken: Slot[] = [];
  private current: Slot;
  private at = 0;
  private readonly size: () => number;
  private left: number | undefined;
  private waitingBytes = 0;

  /** @param size bytes that will come in all, asked for when the first have come; more are dropped */
  constructor(size: () => number) {
    this.size = size;
    this.current = this.emptySlot();
  }

  /** True when all bytes have come. */
  get isComplete(): boolean {
    return this.left === 0;
  }

  /** True when there is room for more before the reader has taken something. */
  get wantsMore(): boolean {
    return !this.isComplete && this.waitingBytes < MAX_WAITING;
  }

  /** Where the next read goes to. */
  target(): Uint8Array {
    return this.current.bytes.subarray(this.at);
  }

  /** So many bytes were read to the target. */
  filled(count: number): void {
    const left = this.left ?? this.size();
    const wanted = Math.min(count, left);
    if (wanted > 0) this.queue(wanted);
    this.left = left - wanted;
    this.at += count;
    if (this.current.bytes.length - this.at >= LEAST_ROOM) return;
    this.release(this.current);
    this.current = this.emptySlot();
    this.at = 0;
  }

  /** The next bytes, or undefined when none are waiting. */
  take(): Uint8Array | undefined {
    const piece = this.waiting.shift();
    if (piece === undefined) return undefined;
    const { slot, start, end } = piece;
    this.waitingBytes -= end - start;
    this.taken.push(slot);
    if (this.taken.length > 2) {
      const oldest = this.taken.shift();
      if (oldest !== undefined) this.release(oldest);
    }
    return slot.bytes.subarray(start, end);
  }

  private queue(count: number): void {
    const last = this.waiting.at(-1);
    this.waitingBytes += count;
    if (last?.slot === this.current && last.end === this.at) {
      last.end += count;
      return;
    }
    this.current.uses++;
    this.waiting.push({ slot: this.current, start: this.at, end: this.at + count });
  }

  private release(slot: Slot): void {
    slot.uses--;
    if (slot.uses === 0 && this.free.length < MAX_FREE) this.free.push(slot);
  }

  private emptySlot(): Slot {
    const slot = this.free.pop() ?? { bytes: Buffer.allocUnsafeSlow(BUFFER_BYTES), uses: 0 };
    slot.uses = 1;
    return slot;
  }
}

import { createHash, type Hash } from 'node:crypto';
import { type Digest, type DigestAlgorithm, digestFromHash } from '../../names/digest.ts';
import type { BlobContent } from './upload.ts';

/** How to read. */
export interface ReaderOptions {
  /** Hashes what is read; absent: the content is checked where it comes from, bytes are only counted. */
  readonly algorithm?: DigestAlgorithm | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Content as an upload needs it: read in order, from wherever the registry is. Going forward reads (and hashes) without
 * sending; going back reads again, from the last checkpoint on.
 *
 * Of several that read, the one that called {@link seek} last goes on; an earlier one (a request body that was given up
 * while it waited for the content) gets an error.
 */
export class ContentReader {
  readonly #content: BlobContent;
  readonly #options: ReaderOptions;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  /** The rest of a piece of which only a part was wanted. Valid: the next one has not been asked for. */
  #rest: Uint8Array | undefined;
  /** The iterator has been asked and has not answered. */
  #waiting = false;
  /** Whose reading it is: see {@link seek}. */
  #turn = 0;
  #position = 0;
  #ended = false;
  #hash: Hash | undefined;
  #checkpoint: { readonly offset: number; readonly hash: Hash } | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(content: BlobContent, options: ReaderOptions = {}) {
    this.#content = content;
    this.#options = options;
  }

  /** Bytes up to which the content was handed out or passed over. */
  get position(): number {
    return this.#position;
  }

  /** False when the content is only counted: {@link digest} is undefined then. */
  get hashes(): boolean {
    return this.#options.algorithm !== undefined;
  }

  /** Set once reading has failed: what fails then further up is a consequence. Nothing more can be read. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Goes to `offset`. @returns false when the content is shorter */
  async seek(offset: number): Promise<boolean> {
    const turn = ++this.#turn;
    if (this.#iterator === undefined || this.#waiting || offset < this.#position) await this.#open(offset);
    if (turn !== this.#turn) throw superseded();
    while (this.#position < offset) {
      if ((await this.next(offset - this.#position)) === undefined) return false;
      if (turn !== this.#turn) throw superseded();
    }
    return true;
  }

  /** Goes to `offset` and reads on, up to before `end` or what comes first: the content's end. */
  async *read(offset: number, end: number): AsyncGenerator<Uint8Array> {
    if (!(await this.seek(offset))) return;
    const turn = this.#turn;
    this.#remember();
    while (this.#position < end) {
      if (turn !== this.#turn) throw superseded();
      const piece = await this.next(end - this.#position);
      if (piece === undefined) return;
      yield piece;
    }
  }

  /** The next piece, of at most `limit` bytes (at least 1); undefined at the end. */
  async next(limit: number): Promise<Uint8Array | undefined> {
    const piece = this.#rest ?? (await this.#pull());
    if (piece === undefined) return undefined;
    const part = piece.length > limit ? piece.subarray(0, limit) : piece;
    this.#rest = part.length < piece.length ? piece.subarray(part.length) : undefined;
    this.#hash?.update(part);
    this.#position += part.length;
    return part;
  }

  /** Remembers this position, so that {@link seek} can come back to it without reading what is before. */
  #remember(): void {
    if (this.#hash !== undefined) this.#checkpoint = { offset: this.#position, hash: this.#hash.copy() };
  }

  /** The digest of the content from its start to this position; undefined when nothing is hashed. */
  digest(): Digest | undefined {
    const { algorithm } = this.#options;
    return this.#hash === undefined ? undefined : digestFromHash(this.#hash.copy(), algorithm);
  }

  /** Lets go of what is being read. */
  async close(): Promise<void> {
    const iterator = this.#iterator;
    const waiting = this.#waiting;
    this.#iterator = undefined;
    this.#rest = undefined;
    this.#waiting = false;
    try {
      const closing = iterator?.return?.();
      // A generator that is waiting ends when it has got what it waits for, and that may take long.
      if (waiting) closing?.catch(() => {});
      else await closing;
    } catch {
      // It is not wanted any more, however it ends.
    }
  }

  async #open(offset: number): Promise<void> {
    await this.close();
    const { algorithm, signal } = this.#options;
    if (algorithm === undefined) {
      this.#position = offset;
    } else {
      const start = this.#checkpoint;
      const usable = start !== undefined && start.offset <= offset;
      this.#position = usable ? start.offset : 0;
      this.#hash = usable ? start.hash.copy() : createHash(algorithm);
    }
    this.#ended = false;
    this.#iterator = this.#content(this.#position, signal)[Symbol.asyncIterator]();
  }

  async #pull(): Promise<Uint8Array | undefined> {
    if (this.#iterator === undefined) await this.#open(0);
    while (!this.#ended) {
      const result = await this.#ask();
      if (result === undefined || result.done === true) this.#ended = true;
      else if (result.value.length > 0) return result.value;
    }
    return undefined;
  }

  async #ask(): Promise<IteratorResult<Uint8Array> | undefined> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const iterator = this.#iterator;
    this.#waiting = true;
    let result: IteratorResult<Uint8Array> | undefined;
    try {
      result = await iterator?.next();
    } catch (error) {
      if (iterator !== this.#iterator) throw superseded();
      this.#failure = { error };
      throw error;
    }
    if (iterator !== this.#iterator) throw superseded();
    this.#waiting = false;
    return result;
  }
}

function superseded(): Error {
  return new Error('the content is read from another position by now');
}

import type { Digest } from '../../names/digest.ts';
import type { ContentReader } from './content-reader.ts';
import type { Chunk, OutgoingContent } from './outgoing-content.ts';
import { Setback } from './upload-errors.ts';

/**
 * What one request takes of a stream, in bytes. It is kept in memory, twice: one part is sent while the next one is
 * filled. So each request says how long it is, although the whole is not known; a part that was lost is sent again without
 * compressing it again; and where compressing is slower than sending, the session is most of the time between two requests,
 * where an interruption costs nothing with any registry.
 */
export const bufferedChunkBytes: number = 8 * 1024 * 1024;

/** Most that is kept in memory when a registry wants large chunks; beyond it, the rest of the stream is one request. */
export const maxBufferedChunk: number = 32 * 1024 * 1024;

/** Pieces of this size go to the connection, so that progress is seen. */
const pieceBytes = 256 * 1024;

interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly prefix: Digest;
}

/**
 * Content whose digest and size are known only at its end. Its reader hashes.
 *
 * All readings must give the same bytes. Where one gives fewer than the registry already has, the upload starts over.
 */
export class StreamContent implements OutgoingContent {
  readonly size: undefined;
  readonly chunkBytes: number;
  readonly #reader: ContentReader;
  #current: Part | undefined;
  #ahead: Promise<Part> | undefined;
  #streamedTo: number | undefined;
  /** Memory that is not in use. */
  readonly #spare: Uint8Array[] = [];

  constructor(reader: ContentReader, chunkBytes: number) {
    this.chunkBytes = chunkBytes;
    this.#reader = reader;
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#reader.failure;
  }

  async chunk(offset: number, limit: number): Promise<Chunk | undefined> {
    if (limit > maxBufferedChunk) return this.#allInOne(offset);
    const part = await this.#partAt(offset, limit);
    const start = offset - part.offset;
    const size = Math.min(limit, part.bytes.length - start);
    if (size <= 0) return undefined;
    const bytes = part.bytes.subarray(start, start + size);
    return {
      offset,
      size,
      end: () => offset + size,
      body: () => slices(bytes),
      prefix: () => (start + size === part.bytes.length ? part.prefix : undefined),
    };
  }

  async prefix(offset: number): Promise<Digest | undefined> {
    await this.#goTo(offset);
    return this.#reader.digest();
  }

  async verify(): Promise<{ readonly digest: Digest; readonly size: number }> {
    const part = await this.#ahead;
    if (part !== undefined && part.bytes.length > 0) throw new RangeError('not all of the stream was sent');
    return { digest: digestHere(this.#reader), size: this.#reader.position };
  }

  async #partAt(offset: number, limit: number): Promise<Part> {
    const current = this.#current;
    if (current !== undefined && offset >= current.offset && offset < end(current)) return current;
    if (current === undefined || offset !== end(current)) {
      // Back to what is not in memory any more, or the first one.
      await this.#goTo(offset);
      this.#ahead = this.#fill(limit);
    }
    const part = await (this.#ahead ?? this.#fill(limit));
    if (current !== undefined) this.#spare.push(new Uint8Array(current.bytes.buffer));
    this.#current = part;
    this.#ahead = part.bytes.length === 0 ? Promise.resolve(part) : this.#fill(limit);
    // Whoever waits for it sees the failure; until then it is not an unhandled one.
    this.#ahead.catch(() => {});
    return part;
  }

  /** The rest in one request, of a length that nobody knows yet. */
  #allInOne(offset: number): Chunk | undefined {
    if (offset === this.#streamedTo) return undefined;
    return {
      offset,
      end: () => this.#reader.position,
      body: () => this.#rest(offset),
      prefix: () => this.#reader.digest(),
    };
  }

  async *#rest(offset: number): AsyncGenerator<Uint8Array> {
    await this.#goTo(offset);
    yield* this.#reader.read(offset, Number.POSITIVE_INFINITY);
    this.#streamedTo = this.#reader.position;
  }

  async #goTo(offset: number): Promise<void> {
    await this.#forget();
    if (await this.#reader.seek(offset)) return;
    throw new Setback('lost', `it has only ${this.#reader.position} bytes, the registry has ${offset}`);
  }

  async #forget(): Promise<void> {
    try {
      await this.#ahead;
    } catch {
      // The reader keeps the failure.
    }
    this.#ahead = undefined;
    this.#current = undefined;
    this.#spare.length = 0;
  }

  async #fill(limit: number): Promise<Part> {
    const size = Math.max(limit, 1);
    const spare = this.#spare.pop();
    // Not from the pool: its memory is kept for long.
    const memory = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    const offset = this.#reader.position;
    let filled = 0;
    while (filled < size) {
      const piece = await this.#reader.next(size - filled);
      if (piece === undefined) break;
      memory.set(piece, filled);
      filled += piece.length;
    }
    return { offset, bytes: memory.subarray(0, filled), prefix: digestHere(this.#reader) };
  }
}

function end({ offset, bytes }: Part): number {
  return offset + bytes.length;
}

function digestHere(reader: ContentReader): Digest {
  const digest = reader.digest();
  if (digest === undefined) throw new TypeError('a stream has to be hashed');
  return digest;
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

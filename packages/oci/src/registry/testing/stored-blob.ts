import { createCipheriv, createHash, type Hash } from 'node:crypto';

/** Content of a blob, wherever it comes from. */
export interface StoredBlob {
  readonly size: number;
  /** From `start` up to before `end`. @throws Error when the bytes were not kept */
  read(start: number, end: number): Iterable<Buffer>;
}

/** A blob in memory. */
export function memoryBlob(pieces: readonly Buffer[]): StoredBlob {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return {
    size,
    *read(start, end) {
      let position = 0;
      for (const piece of pieces) {
        const part = piece.subarray(Math.max(0, start - position), Math.max(0, end - position));
        if (part.length > 0) yield part;
        position += piece.length;
      }
    },
  };
}

/** A blob of which only the size is known. */
export function forgottenBlob(size: number): StoredBlob {
  return {
    size,
    read() {
      throw new Error('the bytes of this blob were not kept: see keepUpTo');
    },
  };
}

const STEP = 1 << 20;

/** A blob of random-looking bytes that are made when they are read: any size, no memory. The same seed, the same bytes. */
export function generatedBlob(size: number, seed: number): StoredBlob {
  const key = createHash('sha256').update(`seed ${seed}`).digest();
  const zeros = Buffer.alloc(STEP);
  const pieceAt = (index: number): Buffer => {
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(index * (STEP / 16), 12);
    return createCipheriv('aes-256-ctr', key, counter).update(zeros);
  };
  return {
    size,
    *read(start, end) {
      const last = Math.min(end, size);
      for (let position = start; position < last; ) {
        const index = Math.floor(position / STEP);
        const from = position - index * STEP;
        const piece = pieceAt(index).subarray(from, Math.min(STEP, from + last - position));
        yield piece;
        position += piece.length;
      }
    },
  };
}

/** `sha256:…` of bytes. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The digest of a blob's content, reading all of it. */
export function digestOfBlob(blob: StoredBlob): string {
  const hash = createHash('sha256');
  for (const piece of blob.read(0, blob.size)) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

/** Bytes that come in one after the other. */
export class BlobCollector {
  readonly #sha256: Hash = createHash('sha256');
  readonly #sha512: Hash = createHash('sha512');
  readonly #keepUpTo: number;
  #pieces: Buffer[] = [];
  #size = 0;

  /** @param keepUpTo bigger blobs are only hashed and counted */
  constructor(keepUpTo: number) {
    this.#keepUpTo = keepUpTo;
  }

  get size(): number {
    return this.#size;
  }

  add(piece: Buffer): void {
    this.#sha256.update(piece);
    // Nobody sends sha512 content of a size that matters; hashing all twice would make big uploads slow.
    if (this.#size + piece.length <= 1 << 20) this.#sha512.update(piece);
    this.#size += piece.length;
    if (this.#size > this.#keepUpTo) this.#pieces = [];
    else this.#pieces.push(Buffer.from(piece));
  }

  /** True when this is the digest of what has come so far. */
  has(digest: string): boolean {
    const hash = digest.startsWith('sha512:') ? this.#sha512 : this.#sha256;
    return digest === `${digest.split(':')[0]}:${hash.copy().digest('hex')}`;
  }

  toBlob(): StoredBlob {
    return this.#size > this.#keepUpTo ? forgottenBlob(this.#size) : memoryBlob(this.#pieces);
  }
}

import { createHash, type Hash, hash } from 'node:crypto';

const digestBytes = 32;

/** SHA-256 of the files of a layer, by where their content starts. 40 bytes each: a layer may have millions. */
export class ContentDigests {
  #offsets = new Float64Array(64);
  #digests: Buffer = Buffer.alloc(64 * digestBytes);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** Offsets must grow from call to call, as they do in an archive. */
  add(dataOffset: number, digest: Uint8Array): void {
    if (this.#count === this.#offsets.length) this.#grow();
    this.#offsets[this.#count] = dataOffset;
    this.#digests.set(digest.subarray(0, digestBytes), this.#count * digestBytes);
    this.#count++;
  }

  /** In hexadecimal; undefined for what has no content, or was listed without reading it. */
  get(dataOffset: number): string | undefined {
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const offset = this.#offsets[middle] ?? 0;
      if (offset === dataOffset) {
        return this.#digests.toString('hex', middle * digestBytes, (middle + 1) * digestBytes);
      }
      if (offset < dataOffset) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #grow(): void {
    const offsets = new Float64Array(this.#offsets.length * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    this.#digests = Buffer.concat([this.#digests, Buffer.alloc(this.#digests.length)]);
  }
}

/** Hashes one file after the other as their content passes by, sparse files expanded. */
export class FileHasher {
  #left = 0;
  #hash: Hash | undefined;

  /** A file of `size` bytes begins. */
  begin(size: number): void {
    this.#left = size;
    this.#hash = undefined;
  }

  /** The next bytes of it; its digest when they were the last. */
  push(chunk: Buffer): Buffer | undefined {
    this.#left -= chunk.length;
    if (this.#hash === undefined && this.#left === 0) return hash('sha256', chunk, 'buffer');
    this.#hash ??= createHash('sha256');
    this.#hash.update(chunk);
    return this.#left === 0 ? this.#hash.digest() : undefined;
  }
}

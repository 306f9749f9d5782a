import { randomBytes } from 'node:crypto';

/**
 * A number for each path, without the paths: 64 bits of a hash stand for each, so that a million of them take 32 MB. The
 * hash begins with random numbers of this process: nobody can prepare names that are taken for each other.
 */
export class PathSizes {
  readonly #seed: readonly [number, number] = [randomBytes(4).readInt32LE(), randomBytes(4).readInt32LE()];
  #capacity = 1024;
  #count = 0;
  /** Two halves of the hash for each slot; both 0: empty. */
  #keys = new Int32Array(2 * 1024);
  #sizes = new Float64Array(1024);
  /** Of the path that was hashed last. */
  #low = 0;
  #high = 0;

  /** Sets the number of a path, whatever it was. */
  set(path: string, size: number): void {
    this.#hash(path);
    if (this.#count * 2 >= this.#capacity) this.#grow();
    this.#put(this.#low, this.#high, size);
  }

  has(path: string): boolean {
    this.#hash(path);
    const slot = this.#slot(this.#low, this.#high);
    return this.#keys[2 * slot] !== 0 || this.#keys[2 * slot + 1] !== 0;
  }

  /** Of all paths. */
  sum(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0);
  }

  #put(low: number, high: number, size: number): void {
    const slot = this.#slot(low, high);
    if (this.#keys[2 * slot] === 0 && this.#keys[2 * slot + 1] === 0) this.#count++;
    this.#keys[2 * slot] = low;
    this.#keys[2 * slot + 1] = high;
    this.#sizes[slot] = size;
  }

  /** Where the hash is, or would be: the next free slot. */
  #slot(low: number, high: number): number {
    const mask = this.#capacity - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const [foundLow, foundHigh] = [this.#keys[2 * slot], this.#keys[2 * slot + 1]];
      if ((foundLow === low && foundHigh === high) || (foundLow === 0 && foundHigh === 0)) return slot;
    }
  }

  #grow(): void {
    const [keys, sizes] = [this.#keys, this.#sizes];
    this.#capacity *= 2;
    this.#count = 0;
    this.#keys = new Int32Array(2 * this.#capacity);
    this.#sizes = new Float64Array(this.#capacity);
    for (const [slot, size] of sizes.entries()) {
      const [low, high] = [keys[2 * slot] ?? 0, keys[2 * slot + 1] ?? 0];
      if (low !== 0 || high !== 0) this.#put(low, high, size);
    }
  }

  /** Two multiplicative hashes with the finish of MurmurHash3, crosswise. */
  #hash(path: string): void {
    let [low, high] = this.#seed;
    for (let at = 0; at < path.length; at++) {
      const code = path.charCodeAt(at);
      low = Math.imul(low ^ code, 0x9e3779b1);
      low ^= low >>> 15;
      high = Math.imul(high + code, 0x85ebca77) ^ (high >>> 13);
    }
    low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ high;
    low = Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
    high = Math.imul(high ^ (high >>> 16), 0xc2b2ae35) ^ path.length;
    high ^= high >>> 16;
    this.#low = low | 0;
    // Never both 0, which stands for an empty slot.
    this.#high = high | 1;
  }
}

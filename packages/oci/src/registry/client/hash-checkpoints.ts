import { createHash, type Hash } from 'node:crypto';
import { type Digest, digestAlgorithm } from '../../names/digest.ts';

/** States of the hash at a few positions of a blob that was read in part. */
interface Notes {
  readonly entries: { readonly position: number; readonly hash: Hash }[];
  /** Readings that go on at this moment. */
  active: number;
}

/** Where a reading begins. */
export interface ReadingStart {
  /** Of all bytes before `position`. */
  readonly hash: Hash;
  readonly position: number;
  /** Called after each piece: remembers the state now and then. */
  note(position: number, hash: Hash): void;
  /** Must be called once. `complete`: the blob was read to its end, nothing has to be remembered. */
  end(complete: boolean): void;
}

/**
 * Remembers how far interrupted readings came. An upload that was cut off at half of a blob asks for the second half only,
 * and the second half alone says nothing about the whole: its digest can be known because the hash of the first half, as
 * it was handed out, was kept.
 *
 * Hashes are kept of bytes that one reader got, so two readings of the same blob at the same time keep nothing.
 */
export class HashCheckpoints {
  readonly #blobs = new Map<Digest, Notes>();
  readonly #interval: number;
  readonly #maxBlobs: number;

  /** @param interval bytes between two remembered states */
  constructor(interval: number = 8 * 1024 * 1024, maxBlobs = 64) {
    this.#interval = interval;
    this.#maxBlobs = maxBlobs;
  }

  /** Begins a reading whose reader wants the bytes from `offset` on. */
  begin(digest: Digest, offset: number): ReadingStart {
    const notes = this.#notesOf(digest);
    notes.active += 1;
    if (notes.active > 1) notes.entries.length = 0;
    // What lies behind the offset comes again, possibly with other bytes.
    const kept = notes.entries.filter(({ position }) => position <= offset);
    notes.entries.splice(0, notes.entries.length, ...kept);
    const last = kept.at(-1);
    let noted = last?.position ?? 0;
    return {
      hash: last?.hash.copy() ?? createHash(digestAlgorithm(digest)),
      position: noted,
      note: (position, hash) => {
        if (position - noted < this.#interval || notes.active > 1) return;
        noted = position;
        notes.entries.push({ position, hash: hash.copy() });
      },
      end: (complete) => {
        notes.active -= 1;
        if (complete) notes.entries.length = 0;
        if (notes.active === 0 && notes.entries.length === 0) this.#blobs.delete(digest);
      },
    };
  }

  #notesOf(digest: Digest): Notes {
    const known = this.#blobs.get(digest);
    if (known !== undefined) return known;
    for (const [other, { active }] of this.#blobs) {
      if (this.#blobs.size < this.#maxBlobs) break;
      if (active === 0) this.#blobs.delete(other);
    }
    const notes: Notes = { entries: [], active: 0 };
    this.#blobs.set(digest, notes);
    return notes;
  }
}

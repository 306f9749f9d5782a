import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadBuffers } from './read-buffers.ts';

/** A byte of the stream, by its position. */
function byteAt(position: number): number {
  return (position * 31 + (position >> 8)) & 0xff;
}

describe('ReadBuffers', () => {
  it('gives the bytes back in order, whatever the reads and the reader do, and keeps the last two pieces', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant<'read'>('read'), size: fc.integer({ min: 1, max: 65_536 }) }),
      fc.record({ kind: fc.constant<'take'>('take'), size: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 3_000_000 }), (steps, size) => {
        const buffers = new ReadBuffers(() => size);
        let written = 0;
        let read = 0;
        let kept: { piece: Uint8Array; at: number }[] = [];
        const take = (): boolean => {
          const piece = buffers.take();
          if (piece === undefined) return false;
          kept = [...kept, { piece, at: read }].slice(-2);
          read += piece.length;
          return true;
        };
        for (const { kind, size: bytes } of steps) {
          if (kind === 'take') take();
          else {
            // Reads go on although nobody wants more: TLS hands over what it has decrypted.
            const target = buffers.target();
            const count = Math.min(bytes, target.length);
            for (let index = 0; index < count; index++) target[index] = byteAt(written + index);
            buffers.filled(count);
            written += count;
          }
          for (const { piece, at } of kept) {
            expect([piece[0], piece.at(-1)]).toEqual([byteAt(at), byteAt(at + piece.length - 1)]);
          }
        }
        while (take());
        expect(read).toBe(Math.min(written, size));
        expect(buffers.isComplete).toBe(written > 0 && written >= size);
      }),
      { numRuns: 60 },
    );
  });

  it('wants no more while much is waiting, and again when it was taken', () => {
    const buffers = new ReadBuffers(() => 10_000_000);
    let reads = 0;
    for (; buffers.wantsMore; reads++) buffers.filled(buffers.target().length);
    expect(reads).toBeLessThan(5);
    buffers.take();
    expect(buffers.wantsMore).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { digestOf } from '../../names/digest.ts';
import { ContentReader } from './content-reader.ts';
import type { BlobContent } from './upload.ts';

const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => index));

function content(): { readonly content: BlobContent; readonly readings: number[]; readonly ended: () => number } {
  const readings: number[] = [];
  let ended = 0;
  return {
    readings,
    ended: () => ended,
    content: async function* (offset) {
      readings.push(offset);
      try {
        // One memory for all pieces, as sources may do.
        const piece = Buffer.alloc(7);
        for (let at = offset; at < bytes.length; at += 7) {
          const length = bytes.copy(piece, 0, at);
          yield piece.subarray(0, length);
          piece.fill(0xff);
        }
      } finally {
        ended++;
      }
    },
  };
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const piece of pieces) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

describe('a content reader', () => {
  it('goes forward in one reading, and back to where it was last', async () => {
    const { content: source, readings } = content();
    const reader = new ContentReader(source, { algorithm: 'sha256' });
    expect(await collect(reader.read(0, 10))).toEqual(bytes.subarray(0, 10));
    expect(await collect(reader.read(30, 50))).toEqual(bytes.subarray(30, 50));
    expect(readings).toEqual([0]);
    expect(await collect(reader.read(40, 60))).toEqual(bytes.subarray(40, 60));
    expect(readings).toEqual([0, 30]);
    expect(await collect(reader.read(20, 25))).toEqual(bytes.subarray(20, 25));
    expect(readings).toEqual([0, 30, 0]);
    expect(await collect(reader.read(25, 1000))).toEqual(bytes.subarray(25));
    expect(reader.digest()).toBe(digestOf(bytes));
    await reader.close();
  });

  it('only counts content that is checked where it comes from', async () => {
    const { content: source, readings } = content();
    const reader = new ContentReader(source);
    expect(await collect(reader.read(50, 60))).toEqual(bytes.subarray(50, 60));
    expect([readings, reader.digest(), reader.position]).toEqual([[50], undefined, 60]);
    await reader.close();
  });

  it('gives nothing beyond the end', async () => {
    const reader = new ContentReader(content().content, { algorithm: 'sha256' });
    expect(await reader.seek(101)).toBe(false);
    expect(await collect(reader.read(100, 200))).toHaveLength(0);
    await reader.close();
  });

  it('ends a reading that was given up, and that alone', async () => {
    const { content: source, ended } = content();
    const reader = new ContentReader(source, { algorithm: 'sha256' });
    const given = reader.read(0, 100);
    await given.next();
    expect(await collect(reader.read(0, 20))).toEqual(bytes.subarray(0, 20));
    await expect(given.next()).rejects.toThrow('another position');
    expect(await collect(reader.read(20, 100))).toEqual(bytes.subarray(20));
    expect(reader.digest()).toBe(digestOf(bytes));
    await reader.close();
    expect(ended()).toBe(2);
  });

  it('does not wait for a source that is silent', async () => {
    let release = (): void => {};
    let readings = 0;
    const reader = new ContentReader(
      async function* (offset) {
        if (readings++ === 0) {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        yield bytes.subarray(offset);
      },
      { algorithm: 'sha256' },
    );
    const silent = reader
      .read(0, 100)
      .next()
      .catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await collect(reader.read(0, 100))).toEqual(bytes);
    release();
    expect(await silent).toMatchObject({ message: expect.stringContaining('another position') });
    expect(reader.digest()).toBe(digestOf(bytes));
    expect(reader.failure).toBeUndefined();
    await reader.close();
  });

  it('keeps what the source failed with', async () => {
    const failing: BlobContent = async function* () {
      yield bytes.subarray(0, 10);
      throw new Error('disk');
    };
    const reader = new ContentReader(failing);
    await expect(collect(reader.read(0, 100))).rejects.toThrow('disk');
    expect(reader.failure?.error).toMatchObject({ message: 'disk' });
    await reader.close();
  });
});

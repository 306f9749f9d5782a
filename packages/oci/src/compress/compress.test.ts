import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressGzip, compressZstd } from './index.ts';
import { collect, expand, sampleBytes, streamOf } from './testing/compress-fixtures.ts';

const KIB = 1024;
/** Around the block size of the gzip compressor. */
const SIZES = [0, 1, 100, 512 * KIB - 1, 512 * KIB, 512 * KIB + 1, 1024 * KIB, 1300 * KIB];

describe('compressGzip', () => {
  it.each(SIZES)('%d bytes: one member that Node and gzip -t read back', async (size) => {
    const bytes = sampleBytes(size);
    const packed = await collect(compressGzip(streamOf(bytes, 70_001)));
    expect(gunzipSync(packed).equals(bytes)).toBe(true);
    expect(spawnSync('gzip', ['-t'], { input: packed }).status).toBe(0);
  });

  it('has a header that says nothing of when and where', async () => {
    const packed = await collect(compressGzip(streamOf(sampleBytes(10), 10)));
    expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  });

  it('gives the same bytes whatever the chunks and the concurrency', async () => {
    const bytes = sampleBytes(1700 * KIB);
    const reference = await collect(compressGzip(streamOf(bytes, bytes.length), { concurrency: 1 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1000, max: 2_000_000 }),
        fc.integer({ min: 1, max: 6 }),
        async (step, concurrency) => {
          const packed = await collect(compressGzip(streamOf(bytes, step), { concurrency }));
          expect(packed.equals(reference)).toBe(true);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('compresses as well as one stream would, because blocks see the end of the one before', async () => {
    const bytes = sampleBytes(1500 * KIB);
    const packed = await collect(compressGzip(streamOf(bytes, 65_536)));
    const { stdout } = spawnSync('gzip', ['-6', '-n', '-c'], { input: bytes, maxBuffer: 2 ** 26 });
    expect(packed.length).toBeLessThan(stdout.length * 1.01);
  });

  it('refuses levels that are none', async () => {
    await expect(collect(compressGzip(streamOf(sampleBytes(1), 1), { level: 10 }))).rejects.toThrow(RangeError);
  });
});

describe('compressZstd', () => {
  it.each([0, 1, 100_000, 4096 * KIB, 4096 * KIB + 1])('%d bytes: frames that zstd reads back', async (size) => {
    const bytes = sampleBytes(size);
    const packed = await collect(compressZstd(streamOf(bytes, 70_001)));
    const again = await collect(compressZstd(streamOf(bytes, 1_000_003), { concurrency: 1 }));
    expect(packed.equals(again)).toBe(true);
    expect((await expand(packed, 'zstd')).equals(bytes)).toBe(true);
  });
});

describe.each([
  ['gzip', compressGzip],
  ['zstd', compressZstd],
] as const)('back-pressure and failure of the %s compressor', (_name, compress) => {
  it('reads no more than it works on while nobody takes the output', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        read += KIB * KIB;
        yield Buffer.alloc(KIB * KIB);
      }
    }
    const output = compress(endless(), { concurrency: 2 });
    await output.next();
    await output.next();
    const before = read;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(read).toBe(before);
    expect(read).toBeLessThanOrEqual(13 * KIB * KIB);
    await output.return();
  });

  it('closes the source when the consumer stops', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield Buffer.alloc(KIB * KIB);
      } finally {
        closed = true;
      }
    }
    for await (const _chunk of compress(source())) break;
    const output = compress(source());
    await output.next();
    await output.next();
    await output.return();
    expect(closed).toBe(true);
  });

  it('passes on errors of the source', async () => {
    const failure = new Error('disk on fire');
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.alloc(5 * KIB * KIB);
      throw failure;
    }
    await expect(collect(compress(source()))).rejects.toBe(failure);
  });
});

import { spawnSync } from 'node:child_process';
import { gzipSync, constants as zlibConstants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompressionKind, decompress, detectCompression } from './index.ts';
import { collect, expand, expandSync, sampleBytes, streamOf } from './testing/compress-fixtures.ts';

const SMALL = sampleBytes(3000);
const SKIPPABLE = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 7, 0, 0, 0]), Buffer.from('skipped')]);
const PACK: Readonly<Record<'gzip' | 'zstd', (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes, { params: { [zlibConstants.ZSTD_c_checksumFlag]: 1 } }),
};

/** Both paths, as one: they must agree. */
async function expandBoth(bytes: Buffer, kind: CompressionKind, step?: number): Promise<Buffer> {
  const result = await expand(bytes, kind, {}, step);
  expect(expandSync(bytes, kind).equals(result)).toBe(true);
  return result;
}

async function expectRefused(
  bytes: Buffer,
  kind: CompressionKind,
  code: string,
  limits = {},
  step?: number,
): Promise<void> {
  await expect(expand(bytes, kind, limits, step)).rejects.toMatchObject({ code });
  expect(() => expandSync(bytes, kind, limits)).toThrow(expect.objectContaining({ code }));
}

describe.each(['gzip', 'zstd'] as const)('decompress %s', (kind) => {
  const pack = PACK[kind];

  it('expands much data', async () => {
    const bytes = sampleBytes(3_000_000);
    expect((await expandBoth(pack(bytes), kind)).equals(bytes)).toBe(true);
  });

  it('expands an empty stream', async () => {
    expect(await expandBoth(pack(Buffer.alloc(0)), kind)).toHaveLength(0);
  });

  it('takes several members for one stream, at every split', async () => {
    const packed = Buffer.concat([pack(SMALL), pack(Buffer.alloc(0)), pack(SMALL.subarray(0, 5))]);
    const expected = Buffer.concat([SMALL, SMALL.subarray(0, 5)]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: packed.length }), async (step) => {
        expect((await expand(packed, kind, {}, step)).equals(expected)).toBe(true);
      }),
      { numRuns: 40 },
    );
    const border = pack(SMALL).length;
    expect((await expandBoth(packed, kind, border)).equals(expected)).toBe(true);
  });

  it('refuses every truncation', async () => {
    const packed = pack(SMALL);
    for (let length = 0; length < packed.length; length += 37) {
      await expectRefused(packed.subarray(0, length), kind, 'COMPRESSION_INVALID');
    }
    await expectRefused(packed.subarray(0, packed.length - 1), kind, 'COMPRESSION_INVALID');
    const second = Buffer.concat([packed, packed.subarray(0, 9)]);
    await expectRefused(second, kind, 'COMPRESSION_INVALID');
    await expectRefused(second, kind, 'COMPRESSION_INVALID', {}, packed.length);
  });

  it('refuses junk after the end, also in chunks of its own', async () => {
    const packed = pack(SMALL);
    for (const junk of ['junk', 'x', '\0\0junk', '\0'.repeat(600) + 'j'.repeat(600)]) {
      const bytes = Buffer.concat([packed, Buffer.from(junk)]);
      await expectRefused(bytes, kind, 'COMPRESSION_INVALID');
      await expectRefused(bytes, kind, 'COMPRESSION_INVALID', {}, packed.length);
      await expectRefused(bytes, kind, 'COMPRESSION_INVALID', {}, 100);
    }
  });

  it('refuses a damaged checksum', async () => {
    const packed = pack(SMALL);
    const at = kind === 'gzip' ? packed.length - 6 : packed.length - 2;
    packed[at] = (packed[at] ?? 0) ^ 1;
    await expectRefused(packed, kind, 'COMPRESSION_INVALID');
  });

  it('stops bombs', async () => {
    const bomb = pack(Buffer.alloc(20_000_000));
    const limits = { freeBytes: 1_000_000, maxRatio: 100 };
    await expectRefused(bomb, kind, 'COMPRESSION_LIMIT', limits);
    await expectRefused(bomb, kind, 'COMPRESSION_LIMIT', { maxBytes: 19_999_999 });
    expect(await expand(bomb, kind, { maxBytes: 20_000_000 })).toHaveLength(20_000_000);
    expect(await expand(bomb, kind, { ...limits, compressedSize: 200_000 })).toHaveLength(20_000_000);
  });

  it('passes on errors of the source as they are, and closes the source', async () => {
    const failure = Object.assign(new Error('connection reset'), { code: 'ECONNRESET', errno: -104 });
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      yield pack(SMALL).subarray(0, 20);
      throw failure;
    }
    await expect(collect(decompress(source(), kind))).rejects.toBe(failure);
  });

  it('lets the consumer stop early', async () => {
    let closed = false;
    const packed = pack(sampleBytes(5_000_000));
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield* streamOf(packed, 10_000);
      } finally {
        closed = true;
      }
    }
    for await (const _chunk of decompress(source(), kind)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closed).toBe(true);
  });
});

describe('decompress gzip', () => {
  it('takes zero bytes after the end for padding, in whatever chunks', async () => {
    const packed = Buffer.concat([gzipSync(SMALL), Buffer.alloc(1000)]);
    for (const step of [1, 7, 100, gzipSync(SMALL).length, packed.length]) {
      expect((await expandBoth(packed, 'gzip', step)).equals(SMALL)).toBe(true);
    }
  });
});

describe('decompress zstd', () => {
  it('leaves skippable frames out, wherever they are', async () => {
    const frame = PACK.zstd(SMALL);
    const packed = Buffer.concat([SKIPPABLE, frame, SKIPPABLE, SKIPPABLE, frame, SKIPPABLE]);
    for (const step of [1, 2, 3, 5, 11, 64, packed.length]) {
      expect((await expandBoth(packed, 'zstd', step)).equals(Buffer.concat([SMALL, SMALL]))).toBe(true);
    }
    expect(await expandBoth(Buffer.concat([SKIPPABLE, SKIPPABLE]), 'zstd')).toHaveLength(0);
  });

  it('refuses a window above the limit before using memory', async () => {
    const params = { [zlibConstants.ZSTD_c_windowLog]: 22, [zlibConstants.ZSTD_c_contentSizeFlag]: 0 };
    const packed = zstdCompressSync(sampleBytes(5_000_000), { params });
    await expectRefused(packed, 'zstd', 'COMPRESSION_LIMIT', { zstdWindowLog: 21 });
    expect(await expand(packed, 'zstd', { zstdWindowLog: 22 })).toHaveLength(5_000_000);
    // 128 MiB and an eighth, in a frame header of its own.
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (17 << 3) | 1, 0x01, 0x00, 0x00]);
    await expectRefused(header, 'zstd', 'COMPRESSION_LIMIT');
  });

  it('refuses dictionaries', async () => {
    const packed = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 0x05, 0x00, 0x01, 0x00, 0x00]);
    await expectRefused(packed, 'zstd', 'COMPRESSION_UNSUPPORTED');
  });

  it.skipIf(spawnSync('zstd', ['--version']).error !== undefined)(
    'reads what zstd writes, long windows and threads included (skipped where the program zstd is missing)',
    async () => {
      const bytes = sampleBytes(700_000);
      for (const args of [['-19'], ['--long=27'], ['-T2', '-B256K'], ['--no-check'], ['-1', '--rsyncable']]) {
        const { stdout } = spawnSync('zstd', ['-c', '-q', ...args], { input: bytes, maxBuffer: 2 ** 26 });
        expect((await expandBoth(stdout, 'zstd', 9999)).equals(bytes)).toBe(true);
      }
    },
  );
});

describe.each(['xz', 'bzip2'] as const)('decompress %s with its program', (kind) => {
  const isMissing = spawnSync(kind, ['--version'], { input: '' }).error !== undefined;

  it.skipIf(isMissing)('expands, and refuses cuts (skipped where the program is missing)', async () => {
    const bytes = sampleBytes(300_000);
    const { stdout } = spawnSync(kind, ['-c'], { input: bytes, maxBuffer: 2 ** 26 });
    expect(detectCompression(stdout)).toBe(kind);
    expect((await expand(stdout, kind)).equals(bytes)).toBe(true);
    await expect(expand(stdout.subarray(0, 5000), kind)).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
    await expect(expand(stdout, kind, { maxBytes: 1000 })).rejects.toMatchObject({ code: 'COMPRESSION_LIMIT' });
  });

  it.skipIf(isMissing)('passes on errors of the source, and ends with the consumer (skipped likewise)', async () => {
    const failure = new Error('connection reset');
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.alloc(10);
      throw failure;
    }
    await expect(collect(decompress(failing(), kind))).rejects.toBe(failure);
    const { stdout } = spawnSync(kind, ['-c'], { input: sampleBytes(3_000_000), maxBuffer: 2 ** 26 });
    for await (const chunk of decompress(streamOf(stdout, 1000), kind)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  it('says what to install when the program is missing', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      await expect(expand(Buffer.alloc(1), kind)).rejects.toMatchObject({
        code: 'COMPRESSION_UNSUPPORTED',
        hint: expect.stringContaining('Install'),
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('has no synchronous form', () => {
    expect(() => expandSync(Buffer.alloc(1), kind)).toThrow(
      expect.objectContaining({ code: 'COMPRESSION_UNSUPPORTED' }),
    );
  });
});

describe('detectCompression', () => {
  it.each<[string, Uint8Array, CompressionKind]>([
    ['gzip', gzipSync('x'), 'gzip'],
    ['zstd', zstdCompressSync('x'), 'zstd'],
    ['zstd that begins with a skippable frame', SKIPPABLE, 'zstd'],
    ['nothing', Buffer.alloc(0), 'none'],
    ['a tar', Buffer.from('etc/passwd\0\0\0'), 'none'],
    ['a tar whose first file is named BZh9', Buffer.from('BZh9\0\0\0\0\0\0\0'), 'none'],
    ['an empty bzip2 stream', Buffer.from('425a683917724538509000000000', 'hex'), 'bzip2'],
  ])('%s', (_name, bytes, kind) => {
    expect(detectCompression(bytes)).toBe(kind);
  });
});

describe.each(['gzip', 'zstd'] as const)('spoilt %s', (kind) => {
  it('is refused, or expands to the very bytes: never to others, and both paths agree', async () => {
    const sound = Buffer.concat([PACK[kind](SMALL), PACK[kind](SMALL.subarray(0, 100))]);
    const expected = Buffer.concat([SMALL, SMALL.subarray(0, 100)]);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sound.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 900 }),
        async (at, flip, step) => {
          const spoilt = Buffer.from(sound);
          spoilt[at] = (spoilt[at] ?? 0) ^ flip;
          const codes = new Set<unknown>();
          for (const run of [() => expand(spoilt, kind, {}, step), async () => expandSync(spoilt, kind)]) {
            try {
              expect((await run()).equals(expected)).toBe(true);
              codes.add('same');
            } catch (error) {
              codes.add(error instanceof Error && 'code' in error ? error.code : error);
            }
          }
          expect(codes.size).toBe(1);
          expect(['same', 'COMPRESSION_INVALID', 'COMPRESSION_LIMIT', 'COMPRESSION_UNSUPPORTED']).toContain(
            [...codes][0],
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync, gzipSync, inflateRawSync, zstdCompressSync } from 'node:zlib';
import {
  compressGzip,
  digestOf,
  type ImageLayer,
  type ImageSource,
  ImageStore,
  OCI_LAYER_GZIP,
  type TarEntry,
  TarWriter,
  toByteString,
} from '@boxwright/oci';
import { programLike } from '@boxwright/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBlock } from './deflate-blocks.ts';
import { inflateGzip } from './inflate-gzip.ts';
import { inflatePart } from './inflate-part.ts';
import { LayerContents } from './layer-contents.ts';
import { LayerReadings } from './layer-readings.ts';
import type { RestartPoint } from './restart-point.ts';
import { RestartWriter, readRestarts } from './restart-table.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-contents-'));
  store = ImageStore.open(join(root, 'store'));
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

/** Text, then noise, then text: dynamic blocks, stored ones, and short ones. */
const mixed: Buffer = Buffer.concat([
  programLike(6_000_000),
  createHash('shake256', { outputLength: 1_500_000 }).digest(),
  Buffer.from('a line that comes again and again\n'.repeat(60_000)),
  programLike(9_000_000).subarray(6_000_000),
]);

async function* pieces(bytes: Buffer, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Buffer>, enough = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of source) {
    parts.push(Buffer.from(part));
    length += part.length;
    if (length >= enough) break;
  }
  return Buffer.concat(parts);
}

async function inflated(gzip: Buffer, interval: number): Promise<{ content: Buffer; points: RestartPoint[] }> {
  const points: RestartPoint[] = [];
  const options = { compressedSize: gzip.length, interval, onPoint: (point: RestartPoint) => points.push(point) };
  return { content: await collect(inflateGzip(pieces(gzip), options)), points };
}

const streams: readonly (readonly [name: string, make: () => Promise<Buffer>])[] = [
  ['level 1', async () => gzipSync(mixed, { level: 1 })],
  ['level 6', async () => gzipSync(mixed)],
  ['level 9', async () => gzipSync(mixed, { level: 9 })],
  ['our own compressor', () => collect(compressGzip(pieces(mixed)))],
  ['several members', async () => Buffer.concat([0, 1, 2, 3, 4].map((part) => gzipSync(memberOf(part))))],
];

function memberOf(part: number): Buffer {
  const size = Math.ceil(mixed.length / 5);
  return mixed.subarray(part * size, (part + 1) * size);
}

describe('restart points', () => {
  it.each(streams)('enter a gzip stream in the middle: %s', async (_name, make) => {
    const gzip = await make();
    const { content, points } = await inflated(gzip, 150_000);
    expect(content.equals(mixed)).toBe(true);
    expect(points.length).toBeGreaterThan(gzip.length / 150_000 / 4);
    for (const point of points) {
      const isFirst = point === points[0];
      const rest = await collect(
        inflatePart(point, pieces(gzip.subarray(point.compressed))),
        isFirst ? Number.POSITIVE_INFINITY : 400_000,
      );
      expect(rest.equals(mixed.subarray(point.offset, point.offset + rest.length))).toBe(true);
      expect(rest.length).toBeGreaterThan(Math.min(399_999, mixed.length - point.offset - 1));
    }
    // A part that ends at the next point holds everything before it.
    const [first, second] = points;
    if (first === undefined || second === undefined) throw new Error('too few points');
    const part = await collect(inflatePart(first, pieces(gzip.subarray(first.compressed, second.compressed + 1))));
    expect(part.subarray(0, second.offset - first.offset).equals(mixed.subarray(first.offset, second.offset))).toBe(
      true,
    );
  });

  it('begin at any bit of a byte', async () => {
    const { points } = await inflated(gzipSync(mixed, { level: 9 }), 60_000);
    expect(new Set(points.map(({ bit }) => bit)).size).toBe(8);
  });

  it('are read as they were written', async () => {
    const { points } = await inflated(gzipSync(mixed), 1_000_000);
    const writer = new RestartWriter();
    for (const point of points) writer.add(point);
    const bytes = writer.bytes('gzip');
    const table = readRestarts(bytes);
    expect(table?.compression).toBe('gzip');
    expect(table?.points.map(({ compressed, bit, offset, window }) => ({ compressed, bit, offset, window }))).toEqual(
      points,
    );
    expect(readRestarts(bytes.subarray(0, -1))).toBeUndefined();
    expect(readRestarts(Buffer.from('something else\n'))).toBeUndefined();
  });

  it('are not seen where there are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 700, maxLength: 4000 }), (bytes) => {
        const found = findBlock(Buffer.from(bytes));
        // A false one is lawful, but must lie inside; chance finds one in thousands of millions of bits.
        expect(found).toBeUndefined();
      }),
      { seed: 1, numRuns: 300 },
    );
    expect(findBlock(Buffer.alloc(5000))).toBeUndefined();
    expect(findBlock(Buffer.alloc(5000, 255))).toBeUndefined();
  });

  it('lie where blocks really begin', () => {
    const deflated = deflateRawSync(mixed.subarray(0, 3_000_000));
    const at = 400_000;
    const bit = findBlock(deflated.subarray(at, at + 200_000));
    if (bit === undefined) throw new Error('no block found');
    const before = inflateRawSync(deflated.subarray(0, at + (bit >> 3) + 1), { finishFlush: constants.Z_SYNC_FLUSH });
    expect(before.equals(mixed.subarray(0, before.length))).toBe(true);
  });
});

describe('inflateGzip', () => {
  it.each([
    ['a stream that ends early', (gzip: Buffer) => gzip.subarray(0, -20)],
    [
      'a damaged stream',
      (gzip: Buffer) => Buffer.concat([gzip.subarray(0, 90_000), Buffer.alloc(500, 7), gzip.subarray(90_500)]),
    ],
    ['junk behind the end', (gzip: Buffer) => Buffer.concat([gzip, Buffer.from('junk')])],
  ])('refuses %s', async (_name, change) => {
    await expect(inflated(change(gzipSync(mixed)), 200_000)).rejects.toThrowError(
      expect.objectContaining({ code: 'COMPRESSION_INVALID' }),
    );
  });

  it('takes zeros behind the end, passes on errors of the source, and can be left', async () => {
    const gzip = gzipSync(mixed);
    const padded = await inflated(Buffer.concat([gzip, Buffer.alloc(3000)]), 200_000);
    expect(padded.content.equals(mixed)).toBe(true);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield gzip.subarray(0, 100_000);
      throw new Error('the line is dead');
    }
    const options = { compressedSize: gzip.length, onPoint: () => undefined };
    await expect(collect(inflateGzip(failing(), options))).rejects.toThrow('the line is dead');
    for await (const piece of inflateGzip(pieces(gzip), options)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
  });
});

interface TestPlace extends ImageSource {
  reads: number;
  bytes: number;
}

/** A place that counts what is read of its one blob. */
function placeOf(blob: () => Buffer): TestPlace {
  const place: TestPlace = {
    description: 'a test',
    reads: 0,
    bytes: 0,
    has: async () => true,
    readDocument: async () => Buffer.alloc(0),
    async *readBlob() {
      place.reads++;
      for await (const piece of pieces(blob(), 20_000)) {
        place.bytes += piece.length;
        yield piece;
      }
    },
  };
  return place;
}

const contents: ReadonlyMap<string, Buffer> = new Map([
  ['first', Buffer.from('hello')],
  ['big', mixed.subarray(0, 5_000_000)],
  ['noise', mixed.subarray(6_000_000, 7_000_000)],
  ['empty', Buffer.alloc(0)],
  ['last', mixed.subarray(8_000_000, 8_000_777)],
]);

function tarOf(files: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  const writer = new TarWriter((chunk) => parts.push(Buffer.from(chunk)));
  for (const [path, content] of files) {
    const entry: TarEntry = {
      path: toByteString(path),
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: content.length,
      mtimeNs: 0n,
    };
    writer.writeEntry(entry);
    if (content.length > 0) writer.writeData(content);
    writer.endEntry();
  }
  writer.finish();
  return Buffer.concat(parts);
}

async function readFile(place: ImageSource, layer: ImageLayer, path: string, from = store): Promise<Buffer> {
  const readings = new LayerReadings(from, place);
  const node = (await readings.index(layer)).get(toByteString(path));
  if (node?.entry === undefined) throw new Error(`no ${path}`);
  const { entry, dataOffset, sparse } = node;
  return await collect(new LayerContents(from, place, readings).read(layer, { entry, dataOffset, sparse }));
}

function putBlob(bytes: Buffer): void {
  const writer = store.createBlob();
  writer.write(bytes);
  writer.commit();
}

describe('LayerContents', () => {
  const tar = tarOf(contents);
  const layerOf = (blob: Buffer): ImageLayer => ({
    descriptor: { mediaType: OCI_LAYER_GZIP, digest: digestOf(blob), size: blob.length },
    diffId: digestOf(tar),
  });

  it.each([
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
    ['none', (bytes: Buffer) => bytes],
  ])(
    'reads files of a %s layer that gives out whole blobs only, and no farther than it has to',
    async (_name, compress) => {
      const blob = Buffer.from(compress(tar));
      const place = placeOf(() => blob);
      for (const [path, content] of contents)
        expect((await readFile(place, layerOf(blob), path)).equals(content)).toBe(true);
      expect(place.reads).toBe(5);
      const before = place.bytes;
      for (const path of ['first', 'noise', 'last']) await readFile(place, layerOf(blob), path);
      expect(place.bytes).toBe(before);
      const other = placeOf(() => blob);
      await readFile(other, layerOf(blob), 'big');
      expect(other.bytes).toBeLessThan(blob.length * 0.9);
    },
  );

  it('enters a blob of the store where it can be entered', async () => {
    const blob = gzipSync(tar, { level: 1 });
    putBlob(blob);
    const place = placeOf(() => blob);
    for (const [path, content] of contents)
      expect((await readFile(place, layerOf(blob), path)).equals(content)).toBe(true);
    // The layer itself was read once.
    expect(place.reads).toBe(1);
  });

  it('reads an uncompressed layer of the store without the place', async () => {
    putBlob(tar);
    const place = placeOf(() => tar);
    for (const [path, content] of contents)
      expect((await readFile(place, layerOf(tar), path)).equals(content)).toBe(true);
    expect(place.reads).toBe(0);
  });

  it('never takes changed content for the file', async () => {
    const blob = gzipSync(tar);
    let served = blob;
    const place = placeOf(() => served);
    const layer = layerOf(blob);
    await readFile(place, layer, 'first');
    const changed = new Map([...contents].map(([path, content]) => [path, Buffer.alloc(content.length, 'x')]));
    served = gzipSync(tarOf(changed));
    for (const path of ['noise', 'big']) {
      await expect(readFile(place, layer, path)).rejects.toThrowError(
        expect.objectContaining({ code: 'LAYER_INVALID' }),
      );
    }
  });

  it('expands sparse files', async () => {
    const content = Buffer.concat([Buffer.alloc(70_000), Buffer.from('x'.repeat(600)), Buffer.alloc(200_000)]);
    const sparse = sparseTar('holes', content, 70_000, 600);
    const blob = gzipSync(sparse);
    const layer = { ...layerOf(blob), diffId: digestOf(sparse) };
    const place = placeOf(() => blob);
    expect((await readFile(place, layer, 'holes')).equals(content)).toBe(true);
    expect(createHash('sha256').update(content).digest('hex')).toBe(
      (await new LayerReadings(store, place).listing(layer, true)).digests.get(512),
    );
    putBlob(sparse);
    expect(
      (
        await readFile(
          placeOf(() => sparse),
          layer,
          'holes',
        )
      ).equals(content),
    ).toBe(true);
  });
});

/** An archive with one file in GNU's old sparse form: one run. */
function sparseTar(path: string, content: Buffer, offset: number, length: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number): void => {
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  header.write(path, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(length, 124, 12);
  octal(0, 136, 12);
  header.write('S', 156);
  header.write('ustar  \0', 257, 'latin1');
  octal(offset, 386, 12);
  octal(length, 398, 12);
  octal(content.length, 410, 12);
  octal(0, 422, 12);
  octal(content.length, 483, 12);
  header.fill(32, 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const stored = content.subarray(offset, offset + length);
  return Buffer.concat([header, stored, Buffer.alloc((512 - (length % 512)) % 512), Buffer.alloc(1024)]);
}

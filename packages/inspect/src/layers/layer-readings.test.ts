import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type Digest,
  digestOf,
  type ImageLayer,
  type ImageSource,
  ImageStore,
  OCI_LAYER_GZIP,
  type TarEntry,
  TarWriter,
  toByteString,
} from '@boxwright/oci';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isListing, ListingWriter, readListing } from './layer-listing.ts';
import { passLayer } from './layer-pass.ts';
import { LayerReadings } from './layer-readings.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-layers-'));
  store = ImageStore.open(join(root, 'store'));
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function entry(path: string, rest: Partial<TarEntry> = {}): TarEntry {
  return { path: toByteString(path), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtimeNs: 1n, ...rest };
}

function tarOf(files: readonly (readonly [entry: TarEntry, content: string])[]): Buffer {
  const pieces: Buffer[] = [];
  const writer = new TarWriter((chunk) => pieces.push(Buffer.from(chunk)));
  for (const [one, content] of files) {
    writer.writeEntry({ ...one, size: content.length });
    writer.writeData(Buffer.from(content));
    writer.endEntry();
  }
  writer.finish();
  return Buffer.concat(pieces);
}

/** A place with one blob, which counts how often it is read. */
function placeOf(blob: Buffer): ImageSource & { reads: number } {
  const place = {
    description: 'a test',
    reads: 0,
    has: async () => true,
    readDocument: async () => Buffer.alloc(0),
    async *readBlob() {
      place.reads++;
      for (let at = 0; at < blob.length; at += 1000) yield blob.subarray(at, at + 1000);
    },
  };
  return place;
}

function layerOf(blob: Buffer, tar: Buffer): ImageLayer {
  const descriptor = { mediaType: OCI_LAYER_GZIP, digest: digestOf(blob), size: blob.length };
  return { descriptor, diffId: digestOf(tar) };
}

const files = [
  [entry('etc', { type: 'directory', mode: 0o755 }), ''],
  [entry('etc/app', { xattrs: new Map([['user.x', Buffer.from([0, 255])]]) }), 'hello'],
  [entry('etc/link', { type: 'symlink', linkName: toByteString('app') }), ''],
  [entry('etc/.wh.gone'), ''],
] as const;

describe('LayerReadings', () => {
  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['nothing', (bytes: Buffer) => bytes],
  ])('reads a layer compressed with %s once, for this image and the next', async (_name, compress) => {
    const tar = tarOf(files);
    const blob = Buffer.from(compress(tar));
    const place = placeOf(blob);
    const layer = layerOf(blob, tar);
    const first = new LayerReadings(store, place);
    expect(first.known(layer)).toBeUndefined();
    const index = await first.index(layer);
    expect(index.get(toByteString('etc/app'))).toMatchObject({ entry: { size: 5, mode: 0o644 } });
    expect(await first.facts(layer)).toEqual({ size: 8, danglingHardLinks: 0, entries: 4, tarSize: tar.length });

    const second = new LayerReadings(store, place);
    const again = await second.index(layer);
    expect([...again.entries()].map(({ path }) => path)).toEqual([...index.entries()].map(({ path }) => path));
    expect(again.get(toByteString('etc/app'))?.entry?.xattrs?.get('user.x')).toEqual(Buffer.from([0, 255]));
    expect(again.get(toByteString('etc'))?.whiteouts).toEqual(new Set(['gone']));
    expect(await second.facts(layer)).toMatchObject({ size: 8 });
    expect(place.reads).toBe(1);
  });

  it('scans a layer that the store has uncompressed', async () => {
    const tar = tarOf(files);
    const writer = store.createBlob();
    writer.write(tar);
    writer.commit();
    const place = placeOf(tar);
    const readings = new LayerReadings(store, place);
    expect(await readings.facts(layerOf(tar, tar))).toMatchObject({ size: 8, entries: 4, tarSize: tar.length });
    expect(place.reads).toBe(0);
  });

  it('keeps nothing of a layer with another diffID', async () => {
    const tar = tarOf(files);
    const blob = gzipSync(tar);
    const layer = { ...layerOf(blob, tar), diffId: digestOf(Buffer.from('other')) };
    const readings = new LayerReadings(store, placeOf(blob));
    await expect(readings.index(layer)).rejects.toThrowError(expect.objectContaining({ code: 'LAYER_INVALID' }));
    expect(readings.known(layer)).toBeUndefined();
  });

  it.each([
    ['gzip that ends early', (blob: Buffer) => blob.subarray(0, -9), 'COMPRESSION_INVALID'],
    ['a layer that is no tar', () => gzipSync('x'.repeat(3000)), 'TAR_INVALID'],
    ['a tar that ends early', () => gzipSync(tarOf(files).subarray(0, 700)), 'TAR_INVALID'],
  ])('refuses %s', async (_name, change, code) => {
    const tar = tarOf(files);
    const blob = change(gzipSync(tar));
    await expect(passLayer(placeOf(blob), layerOf(blob, tar))).rejects.toThrowError(
      expect.objectContaining({ code, message: expect.stringContaining(`layer ${digestOf(blob)} of a test: `) }),
    );
  });
});

describe('a listing', () => {
  it('is read as it was written, and not at all when it is torn or foreign', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer(), fc.boolean())),
        (rows) => {
          const entries = rows.map(([name, number, isRare]) => ({
            entry: entry('x', {
              path: toByteString(name),
              mtimeNs: BigInt(number),
              ...(isRare ? { linkName: toByteString(name), devMajor: 1, devMinor: 2, uname: 'u', gname: 'g' } : {}),
            }),
            dataOffset: Math.abs(number),
            ...(isRare ? { sparse: [{ offset: 1, length: 2 }], sha256: Buffer.alloc(32, number) } : {}),
          }));
          const pieces: Buffer[] = [];
          const writer = new ListingWriter((bytes) => pieces.push(bytes));
          for (const one of entries) writer.add(one);
          writer.end();
          const bytes = Buffer.concat(pieces);
          expect(isListing(bytes)).toBe(true);
          expect([...readListing(bytes)]).toEqual(entries);
          expect(isListing(bytes.subarray(0, -1))).toBe(false);
        },
      ),
    );
    expect(isListing(Buffer.from('boxwright-layer-listing 0\n'))).toBe(false);
  });

  it('is packed in parts', () => {
    const pieces: Buffer[] = [];
    const writer = new ListingWriter((bytes) => pieces.push(bytes));
    const count = 20_000;
    for (let index = 0; index < count; index++)
      writer.add({ entry: entry(`some/directory/${index}`), dataOffset: index });
    writer.end();
    expect(pieces.length).toBeGreaterThan(4);
    const read = [...readListing(Buffer.concat(pieces))];
    expect(read).toHaveLength(count);
    expect(read.at(-1)?.entry.path).toBe(`some/directory/${count - 1}`);
  });
});

it('takes digests of both kinds', async () => {
  const tar = tarOf(files);
  // The cast: put together as the check of digests wants it.
  const sha512 = `sha512:${createHash('sha512').update(tar).digest('hex')}` as Digest;
  expect(await passLayer(placeOf(tar), { ...layerOf(tar, tar), diffId: sha512 })).toMatchObject({ entries: 4 });
});

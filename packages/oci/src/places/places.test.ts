import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { flock } from '@boxwright/sys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyImage } from '../copy/copy-image.ts';
import { gzipLayers } from '../copy/encode-layers.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { OCI_LAYER_GZIP } from '../documents/media-types.ts';
import { digestOf } from '../names/digest.ts';
import { ImageStore } from '../store/store.ts';
import { fileOutput, streamOutput } from './archive-output.ts';
import { saveDockerArchive } from './docker-archive-writer.ts';
import { chooseImage } from './layout-index.ts';
import { loadArchive } from './load-archive.ts';
import { writeOciArchive } from './oci-archive-writer.ts';
import { openOciLayout } from './oci-layout.ts';
import { writeOciLayout } from './oci-layout-writer.ts';
import type { ImageDestination, PlacedImage } from './place.ts';
import { storeDestination, storeSource } from './store-place.ts';
import { putImage, putIndex } from './testing/test-images.ts';

let root: string;
let store: ImageStore;
let other: ImageStore;
let layout: string;
let archive: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-places-'));
  store = ImageStore.open(join(root, 'store'));
  other = ImageStore.open(join(root, 'other'));
  layout = join(root, 'layout');
  archive = join(root, 'archive.tar');
});

afterEach(() => {
  store.close();
  other.close();
  rmSync(root, { recursive: true, force: true });
});

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

async function copyTo(destination: ImageDestination, image: PlacedImage, options = {}): Promise<PlacedImage> {
  const placed = await copyImage(storeSource(store), image, destination, options);
  await destination.finish();
  return placed;
}

/** All that an image consists of is in the other store with the same bytes. */
function expectSameImage(descriptor: Descriptor): void {
  other.tag('check', descriptor);
  const [here, there] = [store.image(descriptor, amd64), other.image(descriptor, amd64)];
  expect(there.manifest().raw.equals(here.manifest().raw)).toBe(true);
  expect(there.config().raw.equals(here.config().raw)).toBe(true);
  for (const layer of here.layers()) expect([...other.blobPieces(layer.descriptor.digest)].length).toBeGreaterThan(0);
}

describe('an OCI layout', () => {
  it('keeps what another process adds at the same time', async () => {
    const [descriptor, later] = [putImage(store, ['one']), putImage(store, ['two'])];
    await copyTo(writeOciLayout(layout), { descriptor, names: [], refName: 'one' });
    const theirs = readFileSync(join(layout, 'index.json'), 'utf8').replace('"one"', '"theirs"');
    // As another process would: the lock belongs to this descriptor.
    const fd = openSync(layout, 'r');
    flock(fd, 'exclusive');
    const copying = copyTo(writeOciLayout(layout), { descriptor: later, names: [], refName: 'two' });
    setTimeout(() => {
      writeFileSync(join(layout, 'index.json'), theirs);
      closeSync(fd);
    }, 100);
    await copying;
    expect(openOciLayout(layout).images.map(({ refName }) => refName)).toEqual(['theirs', 'two']);
  });
});

describe('copies keep every digest', () => {
  it('to an OCI layout and back', async () => {
    const descriptor = putImage(store, ['one', 'two', 'one']);
    await copyTo(writeOciLayout(layout), { descriptor, names: ['docker.io/library/a:1', 'example.com/b/c:latest'] });
    const opened = openOciLayout(layout);
    expect(opened.images.map((image) => [image.names, image.refName])).toEqual([
      [['docker.io/library/a:1'], '1'],
      [['example.com/b/c:latest'], 'latest'],
    ]);
    const [image] = opened.images;
    if (image === undefined) expect.unreachable();
    const destination = storeDestination(other);
    await copyImage(opened, image, destination);
    expect(other.resolve('docker.io/library/a:1')).toBeUndefined();
    await destination.finish();
    expect(other.resolve('docker.io/library/a:1')?.digest).toBe(descriptor.digest);
    expectSameImage(descriptor);
    expect(readdirSync(layout).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('to an OCI archive and back, an index with all its platforms', async () => {
    const index = putIndex(store, [
      { ...putImage(store, ['one', 'shared']), platform: amd64 },
      { ...putImage(store, ['two', 'shared'], 'arm64'), platform: arm64 },
    ]);
    await copyTo(writeOciArchive(fileOutput(archive)), { descriptor: index, names: ['docker.io/library/a:1'] });
    const [loaded, ...more] = await loadArchive(other, archive);
    expect(more).toEqual([]);
    expect(loaded).toMatchObject({ names: ['docker.io/library/a:1'], descriptor: { digest: index.digest } });
    expectSameImage(index);
    expect(other.image(index, arm64).layers()).toHaveLength(2);
  });

  it('of an index of which only a part is there', async () => {
    const one = { ...putImage(store, ['one']), platform: amd64 };
    const index = putIndex(store, [one, { ...one, digest: digestOf('elsewhere'), platform: arm64 }]);
    await copyTo(writeOciLayout(layout), { descriptor: index, names: [] });
    const none = putIndex(store, [{ ...one, digest: digestOf('elsewhere'), platform: arm64 }]);
    await expect(copyTo(writeOciLayout(layout), { descriptor: none, names: [] })).rejects.toThrowError(
      code('BLOB_MISSING'),
    );
  });

  it('and read nothing that is there already', async () => {
    const descriptor = putImage(store, ['one', 'two']);
    await copyTo(writeOciLayout(layout), { descriptor, names: [] });
    const destination = writeOciLayout(layout);
    const { ledger } = await copyImage(storeSource(store), { descriptor, names: [] }, destination);
    await destination.finish();
    expect(ledger.entries.map(({ role, state }) => `${role} ${state}`)).toEqual(['manifest exists']);
    expect(openOciLayout(layout).images).toHaveLength(1);
  });
});

describe('docker-archive', () => {
  it('keeps image ID, layers and names', async () => {
    const descriptor = putImage(store, ['one', 'two', 'one']);
    const second = putImage(store, ['one']);
    const names = ['docker.io/library/a:1', 'example.com/b:2'];
    await saveDockerArchive(
      store,
      [
        { descriptor, names },
        { descriptor: second, names: [] },
      ],
      fileOutput(archive),
    );
    const loaded = await loadArchive(other, archive);
    expect(loaded.map((image) => image.names)).toEqual([names, []]);
    const image = other.image(loaded[0]?.descriptor ?? descriptor);
    expect(image.config().raw.equals(store.image(descriptor).config().raw)).toBe(true);
    expect(image.layers().map(({ diffId }) => diffId)).toEqual(
      store
        .image(descriptor)
        .layers()
        .map(({ diffId }) => diffId),
    );
    const list = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' });
    expect(list.match(/\.tar$/gm)).toHaveLength(2);
  });

  it('has plain layers also of a compressed image, and goes through a pipe', async () => {
    const descriptor = putImage(store, ['one']);
    await copyTo(storeDestination(other), { descriptor, names: [] }, { encodeLayer: gzipLayers(store) }).then(
      async (placed) => {
        const pipe = new PassThrough({ highWaterMark: 1000 });
        const saving = saveDockerArchive(other, [{ ...placed, names: [] }], streamOutput(pipe)).then(() => pipe.end());
        const [loaded] = await loadArchive(store, pipe);
        await saving;
        expect(loaded?.descriptor.digest).toBe(descriptor.digest);
      },
    );
  });

  it('leaves no file when it cannot be written', async () => {
    const descriptor = putImage(store, ['one']);
    rmSync(store.blobPath(store.image(descriptor).layers()[0]?.diffId ?? descriptor.digest));
    const saving = saveDockerArchive(store, [{ descriptor, names: [] }], fileOutput(archive));
    await expect(saving).rejects.toThrowError(code('BLOB_MISSING'));
    expect(readdirSync(root).sort()).toEqual(['other', 'store']);
  });
});

describe('compression on the way out', () => {
  it('changes plain layers and the documents that name them, the same way each time', async () => {
    const image = putImage(store, ['one'.repeat(10_000)]);
    const attestation = {
      ...putImage(store, ['statement']),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: new Map([['vnd.docker.reference.digest', image.digest]]),
    };
    const index = putIndex(store, [{ ...image, platform: amd64 }, attestation]);
    const encodeLayer = gzipLayers(store);
    const placed = await copyTo(storeDestination(other), { descriptor: index, names: [] }, { encodeLayer });
    expect(placed.descriptor.digest).not.toBe(index.digest);
    const there = other.image(placed.descriptor, amd64);
    expect(there.config().raw.equals(store.image(image).config().raw)).toBe(true);
    const [layer] = there.layers();
    if (layer === undefined) expect.unreachable();
    expect(layer.descriptor.mediaType).toBe(OCI_LAYER_GZIP);
    expect(layer.descriptor.size).toBeLessThan(1000);
    await other.layerTar(layer.descriptor, layer.diffId);
    const document = other.readBlob(placed.descriptor.digest, 100_000).toString();
    expect(document).toContain(`"vnd.docker.reference.digest": "${there.descriptor.digest}"`);
    expect(document).not.toContain(image.digest);
    // Remembered: the second time knows the digest before it reads the layer.
    rmSync(store.blobPath(layer.diffId));
    const again = await copyTo(storeDestination(other), { descriptor: image, names: [] }, { encodeLayer });
    expect(again.descriptor.digest).toBe(there.descriptor.digest);
  });

  it('leaves images as they are whose layers are compressed', async () => {
    const placed = await copyTo(
      storeDestination(other),
      { descriptor: putImage(store, ['x']), names: [] },
      { encodeLayer: gzipLayers(store) },
    );
    const again = await copyImage(storeSource(other), placed, writeOciLayout(layout), {
      encodeLayer: gzipLayers(other),
    });
    expect(again.descriptor.digest).toBe(placed.descriptor.digest);
  });
});

describe('an OCI layout', () => {
  it('replaces entries of the same name and keeps the others', async () => {
    const [one, two] = [putImage(store, ['one']), putImage(store, ['two'])];
    const name = 'docker.io/library/a:1';
    await copyTo(writeOciLayout(layout), { descriptor: one, names: [name, 'docker.io/library/b:1'] });
    await copyTo(writeOciLayout(layout), { descriptor: two, names: [name] });
    await copyTo(writeOciLayout(layout), { descriptor: one, names: [], refName: 'bare' });
    const { images } = openOciLayout(layout);
    expect(images.map((image) => [image.descriptor.digest, image.refName])).toEqual([
      [one.digest, '1'],
      [two.digest, '1'],
      [one.digest, 'bare'],
    ]);
    expect(chooseImage(images, { name: 'a:1' }, 'x').descriptor.digest).toBe(two.digest);
    expect(chooseImage(images, { name: 'bare' }, 'x').descriptor.digest).toBe(one.digest);
    expect(chooseImage(images, { digest: two.digest }, 'x').descriptor.digest).toBe(two.digest);
    expect(() => chooseImage(images, {}, 'x')).toThrowError(code('IMAGE_AMBIGUOUS'));
    expect(() => chooseImage(images, { name: '1' }, 'x')).toThrowError(code('IMAGE_AMBIGUOUS'));
    expect(() => chooseImage(images, { name: 'none' }, 'x')).toThrowError(code('IMAGE_NOT_FOUND'));
  });

  it.each([
    ['no directory', () => rmSync(layout, { recursive: true }), 'LAYOUT_INVALID'],
    ['no index.json', () => rmSync(join(layout, 'index.json')), 'LAYOUT_INVALID'],
    ['no oci-layout', () => rmSync(join(layout, 'oci-layout')), 'LAYOUT_INVALID'],
    [
      'another version',
      () => writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}'),
      'LAYOUT_INVALID',
    ],
    ['index.json is a link', () => relink(join(layout, 'index.json')), 'LAYOUT_INVALID'],
    ['index.json is a FIFO', () => refifo(join(layout, 'index.json')), 'LAYOUT_INVALID'],
    [
      'index.json is a manifest too',
      () => writeFileSync(join(layout, 'index.json'), '{"schemaVersion":2,"manifests":[],"layers":[]}'),
      'DOCUMENT_TYPE_MISMATCH',
    ],
    ['a digest that climbs', () => writeFileSync(join(layout, 'index.json'), climbing), 'DOCUMENT_INVALID'],
  ])('is refused: %s', async (_, spoil, expected) => {
    await copyTo(writeOciLayout(layout), { descriptor: putImage(store, ['one']), names: [] });
    spoil();
    expect(() => openOciLayout(layout)).toThrowError(code(expected));
  });

  it.each([
    ['is a link', relink, 'LAYOUT_INVALID'],
    ['is a FIFO', refifo, 'LAYOUT_INVALID'],
    ['is a directory', (path: string) => (rmSync(path), mkdirSync(path)), 'LAYOUT_INVALID'],
    ['is missing', (path: string) => rmSync(path), 'BLOB_MISSING'],
    ['is cut', (path: string) => truncateSync(path, 700), 'BLOB_MISMATCH'],
    ['has other bytes', (path: string) => writeFileSync(path, readFileSync(path).fill('x')), 'BLOB_MISMATCH'],
  ])('of which a layer %s is not copied', async (_, spoil, expected) => {
    const descriptor = putImage(store, ['one']);
    await copyTo(writeOciLayout(layout), { descriptor, names: ['docker.io/library/a:1'] });
    const digest = store.image(descriptor).layers()[0]?.diffId ?? '';
    spoil(join(layout, 'blobs', 'sha256', digest.slice(7)));
    const opened = openOciLayout(layout);
    const [image] = opened.images;
    if (image === undefined) expect.unreachable();
    await expect(copyImage(opened, image, storeDestination(other))).rejects.toThrowError(code(expected));
    expect(other.listTags()).toEqual([]);
    expect(readdirSync(join(root, 'other', 'blobs', 'sha256'))).not.toContain(digest.slice(7));
  });

  it('of which the manifest has another size or type is not copied', async () => {
    const descriptor = putImage(store, ['one']);
    await copyTo(writeOciLayout(layout), { descriptor, names: [] });
    const opened = openOciLayout(layout);
    const copy = (wrong: Partial<Descriptor>) =>
      copyImage(opened, { descriptor: { ...descriptor, ...wrong }, names: [] }, storeDestination(other));
    await expect(copy({ size: descriptor.size - 1 })).rejects.toThrowError(code('BLOB_MISMATCH'));
    await expect(copy({ mediaType: 'application/vnd.oci.image.index.v1+json' })).rejects.toThrowError(
      code('DOCUMENT_TYPE_MISMATCH'),
    );
  });
});

const climbing = JSON.stringify({
  schemaVersion: 2,
  manifests: [
    { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: 'sha256:../../../../etc/passwd', size: 1 },
  ],
});

function relink(path: string): void {
  renameSync(path, `${path}.real`);
  symlinkSync(`${path}.real`, path);
}

function refifo(path: string): void {
  rmSync(path);
  execFileSync('mkfifo', [path]);
}

describe('outputs', () => {
  it('appear whole or not at all', async () => {
    const output = fileOutput(archive);
    output.write(Buffer.from('x'));
    expect(existsSync(archive)).toBe(false);
    await output.finish();
    expect(readFileSync(archive, 'utf8')).toBe('x');
    const second = fileOutput(archive);
    second.write(Buffer.from('y'));
    await second.abort();
    expect(readFileSync(archive, 'utf8')).toBe('x');
    expect(readdirSync(root).sort()).toEqual(['archive.tar', 'other', 'store']);
  });

  it('end with the reader', async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    const output = streamOutput(stream);
    output.write(Buffer.alloc(100));
    const draining = output.drain();
    stream.destroy();
    await expect(draining).rejects.toThrowError(code('OUTPUT_CLOSED'));
  });
});

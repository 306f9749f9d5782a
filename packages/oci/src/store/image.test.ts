import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../documents/descriptor.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../documents/media-types.ts';
import { serializeIndex, serializeManifest } from '../documents/serialize.ts';
import { digestOf } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';
import { ImageStore } from './store.ts';
import { putBlob, putExampleImage } from './testing/example-image.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-image-'));
  store = ImageStore.open(root);
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };
const unknown: Platform = { os: 'unknown', architecture: 'unknown' };

function putIndex(manifests: readonly Descriptor[]): Descriptor {
  return { mediaType: OCI_INDEX, ...putBlob(store, serializeIndex({ manifests })) };
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

describe('image', () => {
  it('gives manifest, config and layers', () => {
    const image = store.image(putExampleImage(store, 'layer'));
    expect(image.config().os).toBe('linux');
    expect(image.manifest().layers).toHaveLength(1);
    expect(image.layers()).toMatchObject([{ descriptor: { digest: digestOf('layer') }, diffId: digestOf('layer') }]);
    expect(image.config()).toBe(image.config());
  });

  it('refuses artifacts and images whose layers and diffIDs differ in number', () => {
    const config = { mediaType: 'application/vnd.example+json', ...putBlob(store, '{}') };
    const artifact = putBlob(store, serializeManifest({ config, layers: [] }));
    expect(() => store.image({ mediaType: OCI_MANIFEST, ...artifact }).config()).toThrowError(code('NOT_AN_IMAGE'));
    const good = store.image(putExampleImage(store, 'layer'));
    const odd = putBlob(store, serializeManifest({ config: good.manifest().config, layers: [] }));
    expect(() => store.image({ mediaType: OCI_MANIFEST, ...odd }).layers()).toThrowError(code('IMAGE_INVALID'));
  });

  it('of an index is the one for the platform', () => {
    const one = { ...putExampleImage(store, 'one'), platform: amd64 };
    const two = { ...putExampleImage(store, 'two'), platform: arm64 };
    const attestation = { ...putExampleImage(store, 'three'), platform: unknown };
    const index = putIndex([attestation, one, two]);
    expect(store.image(index, arm64).descriptor.digest).toBe(two.digest);
    expect(store.image(putIndex([putIndex([one, two])]), arm64).descriptor.digest).toBe(two.digest);
    expect(() => store.image(index, { os: 'linux', architecture: 's390x' })).toThrowError(
      expect.objectContaining({
        code: 'PLATFORM_MISSING',
        message: expect.stringContaining('linux/amd64, linux/arm64'),
      }),
    );
    expect(() => store.image(putIndex([attestation]), amd64)).toThrowError(code('PLATFORM_MISSING'));
  });

  it('of an index that does not say is found by its config, or taken when it is alone', () => {
    const one = putExampleImage(store, 'one');
    const elsewhere = { ...one, digest: digestOf('not here') };
    expect(store.image(putIndex([elsewhere, one]), amd64).descriptor.digest).toBe(one.digest);
    expect(() => store.image(putIndex([one]), arm64)).toThrowError(code('PLATFORM_MISSING'));
    expect(store.image(putIndex([elsewhere]), arm64).descriptor.digest).toBe(elsewhere.digest);
  });

  it('of an index that holds itself or is nested without end is refused', () => {
    let index = putIndex([]);
    for (let depth = 0; depth < 10; depth++) index = putIndex([index]);
    expect(() => store.image(index, amd64)).toThrowError(code('PLATFORM_MISSING'));
    expect(() => store.tag('deep', index)).toThrowError(code('IMAGE_INVALID'));
  });

  it('indexes may be tagged when at least one image of them is whole', () => {
    const one = { ...putExampleImage(store, 'one'), platform: amd64 };
    const missing = { ...one, digest: digestOf('elsewhere'), platform: arm64 };
    store.tag('partial', putIndex([one, missing]));
    expect(() => store.tag('none', putIndex([missing]))).toThrowError(code('BLOB_MISSING'));
  });
});

describe('layerTar', () => {
  it('is the blob itself when that is not compressed', async () => {
    const [layer] = store.image(putExampleImage(store, 'layer')).layers();
    if (layer === undefined) expect.unreachable();
    expect(await store.layerTar(layer.descriptor, layer.diffId)).toBe(store.blobPath(layer.diffId));
  });

  it('is expanded once, and checked against the diffID', async () => {
    const content = Buffer.alloc(3_000_000, 'abc');
    const blob = putBlob(store, gzipSync(content));
    const descriptor = { mediaType: OCI_LAYER_GZIP, ...blob };
    const paths = await Promise.all([
      store.layerTar(descriptor, digestOf(content)),
      store.layerTar(descriptor, digestOf(content)),
    ]);
    expect(paths[0]).toBe(paths[1]);
    expect(readFileSync(paths[0]).equals(content)).toBe(true);
    expect(store.hasBlob(digestOf(content))).toBe(false);
    await expect(store.layerTar(descriptor, digestOf('other'))).rejects.toThrowError(code('LAYER_INVALID'));
    await expect(store.layerTar({ ...descriptor, size: 3 }, digestOf('other'))).rejects.toThrowError(
      code('BLOB_MISMATCH'),
    );
  });

  it('refuses layers that are cut or compressed otherwise', async () => {
    const cut = putBlob(store, gzipSync(Buffer.alloc(100_000, 'x')).subarray(0, 60));
    await expect(store.layerTar({ mediaType: OCI_LAYER_GZIP, ...cut }, digestOf('x'))).rejects.toThrowError(
      code('COMPRESSION_INVALID'),
    );
    const xz = putBlob(store, Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3, 4]));
    await expect(store.layerTar({ mediaType: OCI_CONFIG, ...xz }, digestOf('x'))).rejects.toThrowError(
      code('LAYER_INVALID'),
    );
    await expect(
      store.layerTar({ mediaType: OCI_LAYER_GZIP, digest: digestOf('none'), size: 1 }, digestOf('x')),
    ).rejects.toThrowError(code('BLOB_MISSING'));
  });
});

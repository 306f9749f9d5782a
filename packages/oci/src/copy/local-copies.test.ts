import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../documents/descriptor.ts';
import { parseManifest } from '../documents/manifest.ts';
import { OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../documents/media-types.ts';
import { parseImageLocation } from '../places/image-location.ts';
import { storeDestination, storeSource } from '../places/store-place.ts';
import { putImage as putStoreImage, putIndex as putStoreIndex } from '../places/testing/test-images.ts';
import { ImageStore } from '../store/store.ts';
import { type CopyResult, copyImage } from './copy-image.ts';
import type { CopyOptions } from './copy-options.ts';
import { compressLayers, parseLayerCompression } from './encode-layers.ts';
import { openDestination, openSource, type PlaceContext } from './open-place.ts';
import { planCopy } from './plan-copy.ts';
import { readImage } from './read-image.ts';
import { linux, putArtifact, putImage, putIndex } from './testing/memory-images.ts';
import { MemoryRepository } from './testing/memory-place.ts';

const name = 'registry.test/target:1';
let root: string;
let store: ImageStore;
let context: PlaceContext;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-copy-'));
  store = ImageStore.open(join(root, 'store'));
  context = {
    store: () => store,
    registries: () => expect.unreachable('no registry is needed'),
    cwd: root,
  };
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

/** From one place to another, as the command line names them. */
async function copy(from: string, to: string, options: CopyOptions = {}): Promise<CopyResult> {
  const opened = await openSource(parseImageLocation(from), context);
  const { destination, names, close } = await openDestination(parseImageLocation(to), context);
  try {
    const result = await copyImage(opened.source, { ...opened.image, names }, destination, options);
    await destination.finish();
    return result;
  } catch (error) {
    await destination.abort();
    throw error;
  } finally {
    await close();
    await opened.close();
  }
}

describe('places by name', () => {
  it('keep the digest all the way round', async () => {
    const image = putStoreImage(store, ['one', 'two']);
    store.tag('docker.io/library/app:1', image);
    const ways = [
      ['app:1', 'oci:layout:1'],
      ['oci:layout:1', 'oci-archive:app.tar:other'],
      ['oci-archive:app.tar:other', 'oci:second:x'],
      ['oci:second', 'app:2'],
      [`app@${image.digest}`, 'app:3'],
    ] as const;
    for (const [from, to] of ways) expect((await copy(from, to)).descriptor.digest).toBe(image.digest);
    expect(store.resolve('docker.io/library/app:2')?.digest).toBe(image.digest);
    expect(store.resolve('docker.io/library/app:3')?.digest).toBe(image.digest);
  });

  it('bring images to docker-archives and back, with their ID', async () => {
    const image = putStoreImage(store, ['one']);
    store.tag('docker.io/library/app:1', image);
    await copy('app:1', 'docker-archive:app.tar:renamed:2');
    const { descriptor } = await copy('docker-archive:app.tar:renamed:2', 'app:2');
    expect(store.image(descriptor).config().raw).toEqual(store.image(image).config().raw);
    expect(readdirSync(root).sort()).toEqual(['app.tar', 'store']);
  });

  it.each(['oci-archive', 'docker-archive'])('read archives where they lie: %s', async (transport) => {
    const image = putStoreImage(store, ['one', 'two']);
    store.tag('docker.io/library/app:1', image);
    await copy('app:1', `${transport}:app.tar:app:1`);
    const opened = await openSource(parseImageLocation(`${transport}:app.tar:app:1`), {
      ...context,
      store: () => expect.unreachable('no store is needed'),
    });
    const destination = new MemoryRepository('target');
    expect((await copyImage(opened.source, opened.image, destination)).descriptor.digest).toBe(image.digest);
    await opened.close();
    expect(destination.manifests.has(image.digest)).toBe(true);
  });

  it('read compressed archives through the store', async () => {
    const image = putStoreImage(store, ['one']);
    store.tag('docker.io/library/app:1', image);
    await copy('app:1', 'oci-archive:app.tar:1');
    writeFileSync(join(root, 'app.tgz'), gzipSync(readFileSync(join(root, 'app.tar'))));
    expect((await copy('oci-archive:app.tgz:1', 'oci:layout')).descriptor.digest).toBe(image.digest);
  });

  it.each([
    ['app:none', 'IMAGE_NOT_FOUND'],
    ['oci:none', 'LAYOUT_INVALID'],
    ['oci-archive:none.tar', 'ENOENT'],
    ['docker-daemon:app', 'LOCATION_INVALID'],
  ])('say what is not there: %s', async (location, expected) => {
    await expect(openSource(parseImageLocation(location), context)).rejects.toThrowError(code(expected));
  });

  it.each([`oci:layout@sha256:${'0'.repeat(64)}`, `app@sha256:${'0'.repeat(64)}`])(
    'do not take a digest for a name: %s',
    async (location) => {
      await expect(openDestination(parseImageLocation(location), context)).rejects.toThrowError(
        code('LOCATION_INVALID'),
      );
    },
  );

  it('leave nothing of an archive that could not be written', async () => {
    const image = putStoreImage(store, ['one']);
    store.tag('docker.io/library/app:1', image);
    rmSync(store.blobPath(store.image(image).layers()[0]?.diffId ?? image.digest));
    await expect(copy('app:1', 'oci-archive:app.tar')).rejects.toThrowError(code('BLOB_MISSING'));
    await expect(copy('app:1', 'docker-archive:app.tar')).rejects.toThrowError(code('BLOB_MISSING'));
    expect(readdirSync(root)).toEqual(['store']);
  });

  it('notice a damaged blob in an archive', async () => {
    store.tag('docker.io/library/app:1', putStoreImage(store, ['damaged']));
    await copy('app:1', 'oci-archive:app.tar');
    const bytes = readFileSync(join(root, 'app.tar'));
    // The second time is the content; the first is the name inside the layer's tar.
    bytes.write('D', bytes.indexOf('damaged', bytes.indexOf('damaged') + 1));
    writeFileSync(join(root, 'app.tar'), bytes);
    await expect(copy('oci-archive:app.tar', 'oci:layout')).rejects.toThrowError(code('BLOB_MISMATCH'));
  });
});

describe('a copy into the store', () => {
  it('asks a registry for the digest only, when nothing is to be done', async () => {
    const source = new MemoryRepository('source');
    const index = putIndex(source, [putImage(source, ['one']), putImage(source, ['two'], linux('arm64'))], '1');
    const pull = async (): Promise<CopyResult> => {
      const destination = storeDestination(store);
      const image = { descriptor: (await source.resolve('1')) ?? index, names: [name] };
      const result = await copyImage(source, image, destination, { policy: 'sparse', platforms: [linux('arm64')] });
      await destination.finish();
      return result;
    };
    expect((await pull()).upToDate).toBe(false);
    expect(store.image(index, linux('arm64')).layers()).toHaveLength(1);
    source.requests.length = 0;
    expect((await pull()).upToDate).toBe(true);
    expect(source.requests).toEqual(['HEAD tag']);
  });

  it('brings what is missing of an image that has its name already', async () => {
    const source = new MemoryRepository('source');
    const image = putImage(source, ['one', 'two']);
    const pull = async (): Promise<CopyResult> => {
      const destination = storeDestination(store);
      const result = await copyImage(source, { descriptor: image, names: [name] }, destination);
      await destination.finish();
      return result;
    };
    await pull();
    const layer = store.image(image).layers()[1]?.diffId ?? image.digest;
    rmSync(store.blobPath(layer));
    const again = await pull();
    expect(again.upToDate).toBe(false);
    expect(store.hasBlob(layer)).toBe(true);
    expect(again.ledger.totals.sent).toBe('two'.length + image.size);
  });
});

describe('an OCI layout', () => {
  it('takes referrers along and gives them back', async () => {
    const source = new MemoryRepository('source');
    const image = putImage(source, ['one']);
    const sbom = putArtifact(source, 'sbom', image);
    const cosign = putArtifact(source, 'cosign', undefined, `sha256-${image.digest.slice(7)}.sig`);
    const { destination } = await openDestination(parseImageLocation('oci:layout:1'), context);
    await copyImage(source, { descriptor: image, names: ['1'] }, destination, { referrers: true });
    await destination.finish();
    for (const location of ['oci:layout', 'oci-archive:app.tar']) {
      const opened = await openSource(parseImageLocation(location), context);
      // The image is meant, not what speaks of it.
      expect(opened.image.descriptor.digest).toBe(image.digest);
      const back = new MemoryRepository('target');
      const { ledger } = await copyImage(opened.source, { ...opened.image, names: [name] }, back, { referrers: true });
      expect([...ledger.referrers].sort()).toEqual([sbom.digest, cosign.digest].sort());
      expect(back.manifests).toEqual(source.manifests);
      expect(back.tags.get(`sha256-${image.digest.slice(7)}.sig`)).toBe(cosign.digest);
      if (location === 'oci:layout') await copy('oci:layout:1', 'oci-archive:app.tar:1', { referrers: true });
      await opened.close();
    }
  });

  it('lets others have a turn while a large layer is read', async () => {
    const image = putStoreImage(store, ['x'.repeat(40 * 1024 * 1024)]);
    store.tag('docker.io/library/app:1', image);
    const stop = new AbortController();
    setImmediate(() => setImmediate(() => stop.abort(new Error('enough'))));
    await expect(copy('app:1', 'oci:layout', { signal: stop.signal })).rejects.toThrowError('enough');
  });
});

describe('compression on the way out', () => {
  it.each([
    ['gzip', OCI_LAYER_GZIP],
    ['zstd:19', OCI_LAYER_ZSTD],
  ])('%s streams to a registry and is remembered', async (choice, mediaType) => {
    const image = putStoreImage(store, ['x'.repeat(100_000)]);
    const compression = parseLayerCompression(choice);
    if (compression === undefined) expect.unreachable();
    const encodeLayer = compressLayers(store, compression);
    const push = (to: MemoryRepository): Promise<CopyResult> =>
      copyImage(storeSource(store), { descriptor: image, names: [name] }, to, { encodeLayer });
    const first = new MemoryRepository('first');
    const { descriptor } = await push(first);
    const [layer] = parseManifest(first.manifests.get(descriptor.digest)?.bytes ?? Buffer.alloc(0)).layers;
    expect(layer?.mediaType).toBe(mediaType);
    expect(layer?.size).toBeLessThan(1000);
    // The second registry is asked whether it has the layer before it is compressed again.
    const second = new MemoryRepository('second');
    expect((await push(second)).descriptor).toEqual(descriptor);
    expect(second.requests.filter((request) => request === 'HEAD blob')).toHaveLength(2);
    expect(second.blobs).toEqual(first.blobs);
    rmSync(store.blobPath(store.image(image).layers()[0]?.diffId ?? image.digest));
    second.requests.length = 0;
    expect((await push(second)).upToDate).toBe(true);
    expect(second.requests).toEqual(['HEAD tag']);
  });

  it('mounts what another repository of the registry got compressed', async () => {
    const image = putStoreImage(store, ['x'.repeat(1000)]);
    const encodeLayer = compressLayers(store, { compression: 'gzip' });
    const placed = { descriptor: image, names: [name] };
    const [first, second] = [new MemoryRepository('first'), new MemoryRepository('second')];
    second.neighbours.set('registry.test/first', first);
    await copyImage(storeSource(store), placed, first, { encodeLayer });
    const { parts } = await planCopy(storeSource(store), placed, second, { encodeLayer });
    expect(parts.find(({ role }) => role === 'layer')?.action).toBe('mount');
    const { ledger } = await copyImage(storeSource(store), placed, second, { encodeLayer });
    expect(ledger.entries.find(({ role }) => role === 'layer')?.state).toBe('mounted');
    expect(second.requests.filter((request) => request === 'PUT blob')).toHaveLength(1);
  });

  it('notices that a library compresses differently than the last time', async () => {
    const image = putStoreImage(store, ['x'.repeat(1000)]);
    const [layer] = store.image(image).layers();
    if (layer === undefined) expect.unreachable();
    const encodeLayer = compressLayers(store, { compression: 'gzip' });
    encodeLayer(layer.descriptor)?.remember({ digest: image.digest, size: 10 });
    const target = new MemoryRepository('target');
    const { descriptor } = await copyImage(storeSource(store), { descriptor: image, names: [] }, target, {
      encodeLayer,
    });
    const [written] = parseManifest(target.manifests.get(descriptor.digest)?.bytes ?? Buffer.alloc(0)).layers;
    expect(encodeLayer(layer.descriptor)?.recall()).toEqual({ digest: written?.digest, size: written?.size });
    expect(target.blobs.has(image.digest)).toBe(false);
  });

  it('knows its levels', () => {
    expect(parseLayerCompression('zstd:22')).toEqual({ compression: 'zstd', level: 22 });
    expect(parseLayerCompression('gzip')).toEqual({ compression: 'gzip' });
    expect(parseLayerCompression('xz')).toBeUndefined();
    expect(() => parseLayerCompression('gzip:10')).toThrowError(code('COMPRESSION_LEVEL'));
    expect(() => compressLayers(store, { compression: 'zstd', level: 0 })).toThrowError(code('COMPRESSION_LEVEL'));
  });
});

describe('a plan', () => {
  let source: MemoryRepository;
  let target: MemoryRepository;

  beforeEach(() => {
    source = new MemoryRepository('source');
    target = new MemoryRepository('target');
  });

  const plan = (descriptor: Descriptor, options: CopyOptions = {}) =>
    planCopy(source, { descriptor, names: [name] }, target, options);

  it('says what a copy then does, and writes nothing', async () => {
    const image = putImage(source, ['here already', 'new']);
    target.put(Buffer.from('here already'));
    const planned = await plan(putIndex(source, [image]));
    expect(target.requests.every((request) => request.startsWith('HEAD'))).toBe(true);
    expect(source.requests.every((request) => request.startsWith('GET manifest'))).toBe(true);
    expect(planned.parts.map(({ role, action }) => `${role} ${action}`).sort()).toEqual([
      'config mount',
      'index upload',
      'layer exists',
      'layer mount',
      'manifest upload',
    ]);
    expect(planned.totals.exists).toEqual({ parts: 1, bytes: 'here already'.length });
    const { descriptor } = await copyImage(source, { descriptor: putIndex(source, [image]), names: [name] }, target);
    expect(planned.digest).toBe(descriptor.digest);
    expect(planned.upToDate).toBe(false);
    expect((await plan(descriptor)).upToDate).toBe(true);
  });

  it('says upload where there is nothing to mount from', async () => {
    Object.assign(target, { repository: { registry: 'elsewhere.test', path: 'target' } });
    const { totals } = await plan(putImage(source, ['one']));
    expect(totals).toMatchObject({ upload: { parts: 3 }, mount: { parts: 0, bytes: 0 } });
  });

  it('has no digest where only compressing would tell', async () => {
    const encodeLayer = compressLayers(store, { compression: 'gzip' });
    const image = putImage(source, ['one']);
    const planned = await plan(image, { encodeLayer });
    expect(planned.digest).toBeUndefined();
    expect(planned.parts.find(({ role }) => role === 'layer')).not.toHaveProperty('digest');
    await copyImage(source, { descriptor: image, names: [name] }, target, { encodeLayer });
    const after = await plan(image, { encodeLayer });
    expect(after.upToDate).toBe(true);
    expect(after.digest).toBe(target.tags.get('1'));
  });
});

describe('reading an image', () => {
  it('costs one request per document, and the config only when it is wanted', async () => {
    const source = new MemoryRepository('source');
    const image = putImage(source, ['one']);
    const read = await readImage(source, image);
    expect(source.requests).toEqual(['GET manifest']);
    expect((await read.config()).architecture).toBe('amd64');
    await read.config();
    expect(source.requests).toEqual(['GET manifest', 'GET config']);
  });

  it('takes the platform of an index', async () => {
    const source = new MemoryRepository('source');
    const arm64 = putImage(source, ['two'], linux('arm64'));
    const index = putIndex(source, [putImage(source, ['one']), arm64]);
    const read = await readImage(source, index, { platform: linux('arm64') });
    expect(read.index?.manifests).toHaveLength(2);
    expect(read.descriptor).toEqual(arm64);
    expect(source.requests).toEqual(['GET manifest', 'GET manifest']);
    await expect(readImage(source, index, { platform: linux('s390x') })).rejects.toThrowError(code('PLATFORM_MISSING'));
  });

  it('says of an artifact that it has no image config', async () => {
    const source = new MemoryRepository('source');
    const read = await readImage(source, putArtifact(source, 'chart'));
    expect(read.manifest.artifactType).toBe('application/vnd.example');
    await expect(read.config()).rejects.toThrowError(code('NOT_AN_IMAGE'));
  });

  it('works in the store too', async () => {
    const index = putStoreIndex(store, [{ ...putStoreImage(store, ['one']), platform: linux('amd64') }]);
    const read = await readImage(storeSource(store), index, { platform: linux('amd64') });
    expect((await read.config()).rootfs.diffIds).toHaveLength(1);
  });
});

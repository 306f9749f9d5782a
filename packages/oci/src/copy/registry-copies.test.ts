import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostPlatform } from '../names/platform.ts';
import { parseImageLocation } from '../places/image-location.ts';
import { openRegistryAccess, type RegistryAccess } from '../registry/access.ts';
import {
  findProblems,
  putExampleImage,
  putExampleIndex,
  startTestRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from '../registry/testing/index.ts';
import { ImageStore } from '../store/store.ts';
import { type CopyResult, copyImage } from './copy-image.ts';
import type { CopyOptions } from './copy-options.ts';
import { compressLayers } from './encode-layers.ts';
import { type OpenSourceOptions, openDestination, openSource } from './open-place.ts';
import { readImage } from './read-image.ts';

let root: string;
let store: ImageStore;
let access: RegistryAccess;
let registries: TestRegistry[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-registry-'));
  store = ImageStore.open(join(root, 'store'));
  access = newAccess();
  registries = [];
});

afterEach(async () => {
  access.close();
  store.close();
  for (const registry of registries) await registry.close();
  rmSync(root, { recursive: true, force: true });
});

/** As a new process would have it: nothing is known of any registry. */
function newAccess(): RegistryAccess {
  return openRegistryAccess({ env: { HOME: root }, home: root, journalDirectory: join(root, 'uploads') });
}

async function start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await startTestRegistry(options);
  registries.push(registry);
  return registry;
}

function open(location: string, options: OpenSourceOptions = {}): ReturnType<typeof openSource> {
  return openSource(parseImageLocation(location), context(), options);
}

function context() {
  return { store: () => store, registries: () => access, cwd: root };
}

async function copy(from: string, to: string, options: CopyOptions = {}): Promise<CopyResult> {
  const opened = await open(from);
  const { destination, names, close } = await openDestination(parseImageLocation(to), context());
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

describe('between registries', () => {
  it('an index arrives whole; again, each side is asked once', async () => {
    const [from, to] = [await start(), await start()];
    putExampleIndex(from.repository('app'), ['amd64', 'arm64', 's390x'], { tag: '1', layers: ['shared', 5000] });
    const { ledger } = await copy(`docker://${from.host}/app:1`, `docker://${to.host}/mirror/app:1`);
    expect(await findProblems(to.url, 'mirror/app', '1')).toEqual([]);
    expect(to.repository('mirror/app').manifests).toEqual(from.repository('app').manifests);
    expect(ledger.totals).toMatchObject({ exists: 0, mounted: 0, retries: 0 });
    for (const registry of registries) registry.clearLog();
    access.close();
    access = newAccess();
    const again = await copy(`docker://${from.host}/app:1`, `docker://${to.host}/mirror/app:1`);
    expect(again.upToDate).toBe(true);
    expect([...from.log(), ...to.log()]).toEqual(['HEAD /v2/app/manifests/1', 'HEAD /v2/mirror/app/manifests/1']);
  });

  it('what is there under another name costs at most three requests per image', async () => {
    const [from, to] = [await start(), await start()];
    putExampleIndex(from.repository('app'), ['amd64', 'arm64', 's390x'], { tag: '1' });
    await copy(`docker://${from.host}/app:1`, `docker://${to.host}/app:1`);
    for (const registry of registries) registry.clearLog();
    access.close();
    access = newAccess();
    await copy(`docker://${from.host}/app:1`, `docker://${to.host}/app:2`, { thorough: true });
    expect(from.count() + to.count()).toBeLessThanOrEqual(3 * 3);
  });

  it('blobs are mounted within a registry', async () => {
    const registry = await start();
    putExampleImage(registry.repository('app'), { tag: '1', layers: [10_000, 20_000] });
    const { ledger } = await copy(`docker://${registry.host}/app:1`, `docker://${registry.host}/other:1`);
    expect(ledger.totals).toMatchObject({ mounted: 3, copied: 1 });
    expect(registry.count({ method: 'GET', kind: 'blob' })).toBe(0);
    expect(await findProblems(registry.url, 'other', '1')).toEqual([]);
  });

  it('mounts come with a token for both repositories', async () => {
    const registry = await start({ auth: { kind: 'token', users: { me: 'secret' } } });
    mkdirSync(join(root, '.docker'));
    const auths = { [registry.host]: { auth: Buffer.from('me:secret').toString('base64') } };
    writeFileSync(join(root, '.docker', 'config.json'), JSON.stringify({ auths }));
    putExampleImage(registry.repository('app'), { tag: '1', layers: [10_000] });
    const { ledger } = await copy(`docker://${registry.host}/app:1`, `docker://${registry.host}/other:1`);
    expect(ledger.totals).toMatchObject({ mounted: 2, copied: 1 });
    expect(registry.count({ kind: 'token' })).toBeLessThanOrEqual(3);
  });

  it('every fourth request fails, and all arrives', async () => {
    const [from, to] = [await start(), await start()];
    putExampleIndex(from.repository('app'), ['amd64', 'arm64'], { tag: '1', layers: [50_000, 70_000] });
    // Asked to wait for nothing, so that the test does not.
    const fails = { kind: 'status', status: 503, headers: { 'retry-after': '0' } } as const;
    for (const { faults } of [from, to]) faults.add({ skip: 1, every: 4, times: 5, action: fails });
    const { ledger } = await copy(`docker://${from.host}/app:1`, `docker://${to.host}/app:1`);
    expect(await findProblems(to.url, 'app', '1')).toEqual([]);
    expect(ledger.totals.absent).toBe(0);
  });

  it('a registry that does not mount gets the bytes', async () => {
    const registry = await start({ mount: false });
    putExampleImage(registry.repository('app'), { tag: '1', layers: [10_000, 20_000] });
    const { ledger } = await copy(`docker://${registry.host}/app:1`, `docker://${registry.host}/other:1`);
    expect(ledger.totals).toMatchObject({ mounted: 0, copied: 4 });
    expect(await findProblems(registry.url, 'other', '1')).toEqual([]);
    // The session that was opened in place of the mount is used.
    expect(registry.repository('other').uploads.size).toBe(0);
  });

  it.each([true, false])('referrers come along (API at both ends: %s)', async (referrers) => {
    const [from, to] = [await start({ referrers }), await start({ referrers })];
    const image = putExampleImage(from.repository('app'), { tag: '1' });
    const { digest, size, mediaType } = image;
    const sbom = {
      schemaVersion: 2,
      mediaType,
      artifactType: 'application/spdx+json',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: from.repository('app').putBlob('{}'), size: 2 },
      layers: [],
      subject: { mediaType, digest, size },
    };
    const referrer = from.repository('app').putManifest(sbom);
    if (!referrers) {
      const { length } = JSON.stringify(sbom);
      const list = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [{ mediaType, digest: referrer, size: length }],
      };
      from.repository('app').putManifest(list, digest.replace(':', '-'));
    }
    const { ledger } = await copy(`docker://${from.host}/app:1`, `docker://${to.host}/app:1`, { referrers: true });
    expect(ledger.referrers).toEqual([referrer]);
    const { source, image: there } = await open(`docker://${to.host}/app:1`);
    expect((await source.referrers?.(there.descriptor))?.map((descriptor) => descriptor.digest)).toEqual([referrer]);
  });

  it('a registry that refuses sparse indexes is understood', async () => {
    const [from, to] = [await start(), await start()];
    putExampleIndex(from.repository('app'), ['amd64', 'arm64'], { tag: '1' });
    const platforms = [{ os: 'linux', architecture: 'arm64' }];
    const target = `docker://${to.host}/app:1`;
    await expect(copy(`docker://${from.host}/app:1`, target, { policy: 'sparse', platforms })).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      hint: expect.stringContaining('rewrite'),
    });
    expect(to.repository('app').tags.size).toBe(0);
    await copy(`docker://${from.host}/app:1`, target, { policy: 'rewrite', platforms });
    expect(await findProblems(to.url, 'app', '1')).toEqual([]);
  });

  it('a registry that takes them gets them', async () => {
    const [from, to] = [await start(), await start({ incomplete: true })];
    const { digest } = putExampleIndex(from.repository('app'), ['amd64', 'arm64'], { tag: '1' });
    const platforms = [{ os: 'linux', architecture: 'arm64' }];
    await copy(`docker://${from.host}/app:1`, `docker://${to.host}/app:1`, { policy: 'sparse', platforms });
    expect(to.repository('app').tags.get('1')).toBe(digest);
    expect(to.repository('app').manifests.size).toBe(2);
  });

  it.each(['registry', 'store'])(
    'a blob that a mirror damaged comes from the registry itself: to a %s',
    async (kind) => {
      const [from, mirror, to] = [await start(), await start(), await start()];
      // Larger than what is sent at once: wrong bytes are at the destination when they are found wrong.
      const image = putExampleImage(from.repository('app'), { tag: '1', layers: [30_000_000, 20_000] });
      putExampleImage(mirror.repository('app'), { tag: '1', layers: [30_000_000, 20_000] });
      const { blobs } = mirror.repository('app');
      const wrong = putExampleImage(mirror.repository('app'), {
        tag: '2',
        layers: [30_000_000, 20_000],
        seed: 7,
      }).layers;
      for (const [index, layer] of image.layers.entries()) {
        const bytes = blobs.get(wrong[index] ?? '') ?? expect.unreachable();
        expect(bytes.size).toBe(blobs.get(layer)?.size);
        blobs.set(layer, bytes);
      }
      mkdirSync(join(root, '.config/boxwright'), { recursive: true });
      const config = { registries: { [from.host]: { mirrors: [`http://${mirror.host}`] } } };
      writeFileSync(join(root, '.config/boxwright/registries.json'), JSON.stringify(config));
      access.close();
      access = newAccess();
      let shown = 0;
      const target = kind === 'registry' ? `docker://${to.host}/app:1` : 'app:1';
      const { descriptor, ledger } = await copy(`docker://${from.host}/app:1`, target, {
        onEvent: (event) => {
          if (event.kind === 'bytes') shown += event.bytes;
        },
      });
      expect(descriptor.digest).toBe(image.digest);
      const parts = ledger.entries.filter(({ role }) => role === 'layer' || role === 'config');
      expect(shown).toBe(parts.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(mirror.count()).toBeGreaterThan(0);
      if (kind === 'registry') expect(await findProblems(to.url, 'app', '1')).toEqual([]);
      else expect(store.resolve('docker.io/library/app:1')?.digest).toBe(image.digest);
    },
  );

  it('a damaged blob ends the copy, and no tag appears', async () => {
    const [from, to] = [await start(), await start()];
    const { layers } = putExampleImage(from.repository('app'), { tag: '1', layers: [10_000, 20_000] });
    const blobs = from.repository('app');
    const other = blobs.blobs.get(layers[1] ?? '');
    if (other === undefined) expect.unreachable();
    blobs.blobs.set(layers[0] ?? '', other);
    await expect(copy(`docker://${from.host}/app:1`, `docker://${to.host}/app:1`)).rejects.toMatchObject({
      code: 'BLOB_MISMATCH',
    });
    expect(to.repository('app').tags.size).toBe(0);
    expect(to.repository('app').blobs.has(layers[0] ?? '')).toBe(false);
  });

  it('says what is not there', async () => {
    const registry = await start();
    await expect(open(`docker://${registry.host}/none:1`)).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
    await expect(open(`docker://${registry.host}/none:1`, { read: true })).rejects.toMatchObject({
      code: 'REGISTRY_NOT_FOUND',
    });
  });
});

describe('from and to a registry', () => {
  it('looking into an image costs two requests', async () => {
    const registry = await start();
    putExampleImage(registry.repository('app'), { tag: '1' });
    const { source, image } = await open(`docker://${registry.host}/app:1`, { read: true });
    const read = await readImage(source, image.descriptor);
    expect((await read.config()).os).toBe('linux');
    expect(registry.count()).toBe(2);
  });

  it('an image is pulled, pushed compressed, pulled again by digest', async () => {
    const registry = await start();
    const { architecture } = hostPlatform();
    putExampleImage(registry.repository('app'), { tag: '1', architecture, layers: ['text '.repeat(10_000)] });
    await copy(`docker://${registry.host}/app:1`, 'app:1');
    const encodeLayer = compressLayers(store, { compression: 'zstd' });
    const pushed = await copy('app:1', `docker://${registry.host}/app:zstd`, { encodeLayer });
    expect(await findProblems(registry.url, 'app', 'zstd')).toEqual([]);
    const { descriptor } = await copy(`docker://${registry.host}/app@${pushed.descriptor.digest}`, 'app:2');
    const [layer] = store.image(descriptor).layers();
    if (layer === undefined) expect.unreachable();
    expect(layer.descriptor.size).toBeLessThan(1000);
    await store.layerTar(layer.descriptor, layer.diffId);
    registry.clearLog();
    expect((await copy('app:1', `docker://${registry.host}/app:zstd`, { encodeLayer })).upToDate).toBe(true);
    expect(registry.log()).toEqual(['HEAD /v2/app/manifests/zstd']);
  });
});

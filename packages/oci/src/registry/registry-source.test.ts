import { describe, expect, it, onTestFinished } from 'vitest';
import { parseDigest } from '../names/digest.ts';
import { registryAccess } from './access.ts';
import { readAll } from './client/testing/answers.ts';
import { directRegistries } from './client/testing/direct-registries.ts';
import { registrySource } from './registry-source.ts';
import { putExampleImage, putExampleIndex } from './testing/example-images.ts';
import { startTestRegistry, type TestRegistryOptions } from './testing/index.ts';

async function setUp(options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  const registries = directRegistries(registry.url);
  const authenticator = { header: noHeader, answer: noHeader, describe: async () => 'none' };
  const access = registryAccess({ registries, authenticator });
  const source = registrySource(access, { registry: registry.host, path: 'team/app' });
  return { access, registry, registries, source, content: registry.repository('team/app') };
}

async function noHeader(): Promise<undefined> {
  return undefined;
}

const config = (digest: string, size: number) => ({
  mediaType: 'application/vnd.oci.image.config.v1+json',
  digest: parseDigest(digest),
  size,
});

describe('requests of a registry source', () => {
  it('looking into an image of one platform: manifest and config', async () => {
    const { source, registries, content } = await setUp();
    const image = putExampleImage(content, { tag: '1' });
    const descriptor = await source.fetch('1');
    const bytes = await source.readDocument(descriptor);
    const manifest = JSON.parse(bytes.toString());
    await source.readDocument(config(image.config, manifest.config.size));
    expect(registries.sent).toEqual([`GET /v2/team/app/manifests/1`, `GET /v2/team/app/blobs/${image.config}`]);
  });

  it('finding out that nothing has to be done: one HEAD', async () => {
    const { source, registries, content } = await setUp();
    const { digest, size, mediaType } = putExampleImage(content, { tag: '1' });
    expect(await source.resolve('1')).toEqual({ digest, size, mediaType });
    expect(registries.sent).toEqual(['HEAD /v2/team/app/manifests/1']);
  });

  it('documents that were read are not asked for again, in any way', async () => {
    const { source, registries, content } = await setUp();
    const { images } = putExampleIndex(content, ['amd64', 'arm64'], { tag: '1' });
    const index = await source.fetch('1');
    const { mediaType, digest, size } = images[1] ?? { mediaType: '', digest: '', size: 0 };
    const entry = { mediaType, digest: parseDigest(digest), size };
    await source.readDocument(entry);
    const before = registries.sent.length;
    expect(await source.has(index)).toBe(true);
    expect(await source.has(entry)).toBe(true);
    await source.readDocument(entry);
    expect((await readAll(source.readBlob(entry))).length).toBe(size);
    expect((await readAll(source.readBlob(entry, { offset: 10 }))).length).toBe(size - 10);
    expect((await readAll(source.readBlob(entry, { offset: size }))).length).toBe(0);
    expect(registries.sent.length).toBe(before);
  });

  it('a document of which only the size is wrong is not taken from memory', async () => {
    const { source, content } = await setUp();
    const { digest, size, mediaType } = putExampleImage(content, { tag: '1' });
    await source.fetch('1');
    const wrong = { digest: parseDigest(digest), size: size + 1, mediaType };
    await expect(source.readDocument(wrong)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });
});

describe('registry source', () => {
  it('has what is there in the size that the descriptor gives', async () => {
    const { source, content } = await setUp();
    const image = putExampleImage(content, { tag: '1' });
    const layer = parseDigest(image.layers[0] ?? '');
    const size = content.blobs.get(layer)?.size ?? 0;
    const mediaType = 'application/vnd.oci.image.layer.v1.tar';
    expect(await source.has({ mediaType, digest: layer, size })).toBe(true);
    expect(await source.has({ mediaType, digest: layer, size: size + 1 })).toBe(false);
    expect(await source.has({ ...image, digest: parseDigest(image.digest) })).toBe(true);
    expect(await source.has({ ...image, digest: layer })).toBe(false);
    expect((await readAll(source.readBlob({ mediaType, digest: layer, size }))).length).toBe(size);
  });

  it('a tag that moves while we copy does not mix two images (threats R10)', async () => {
    const { source, content, registries } = await setUp();
    const old = putExampleImage(content, { tag: '1', seed: 1 });
    const descriptor = await source.resolve('1');
    putExampleImage(content, { tag: '1', seed: 2 });
    expect(descriptor?.digest).toBe(old.digest);
    if (descriptor !== undefined) await source.readDocument(descriptor);
    expect(registries.sent.at(-1)).toBe(`GET /v2/team/app/manifests/${old.digest}`);
  });

  it('mirrors are asked for what is read, and never about what the registry has', async () => {
    const { source, content, registries } = await setUp();
    const image = putExampleImage(content, { tag: '1' });
    const layer = parseDigest(image.layers[0] ?? '');
    const blob = { mediaType: 'x/y', digest: layer, size: content.blobs.get(layer)?.size ?? 0 };
    await source.resolve('1');
    await source.fetch('1');
    await source.readDocument(blob);
    await readAll(source.readBlob(config(image.config, content.blobs.get(image.config)?.size ?? 0)));
    expect(registries.requests.map(({ allowMirrors }) => allowMirrors)).toEqual([true, true, true, true]);
    registries.requests.length = 0;
    await source.client.resolve('1');
    await source.client.blobSize(layer);
    expect(registries.requests.some(({ allowMirrors }) => allowMirrors === true)).toBe(false);
  });

  it('what is missing is an error that says so', async () => {
    const { source } = await setUp();
    const missing = config(`sha256:${'0'.repeat(64)}`, 2);
    expect(await source.resolve('nope')).toBeUndefined();
    await expect(source.fetch('nope')).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
    await expect(source.readDocument(missing)).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
    await expect(readAll(source.readBlob(missing))).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
  });

  it('what is learned about a repository is kept with the access', async () => {
    const { access } = await setUp();
    const name = { registry: 'example.com', path: 'a' };
    expect(access.repository(name)).toBe(access.repository({ ...name }));
    expect(access.repository(name)).not.toBe(access.repository({ ...name, path: 'b' }));
  });
});

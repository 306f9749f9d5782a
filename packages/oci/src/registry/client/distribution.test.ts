import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descriptorOf } from '../../documents/descriptor.ts';
import { OCI_EMPTY, OCI_LAYER, OCI_MANIFEST } from '../../documents/media-types.ts';
import { serializeManifest } from '../../documents/serialize.ts';
import { digestOf, parseDigest } from '../../names/digest.ts';
import { fallbackTag } from '../../names/referrer-tag.ts';
import { openRegistryAccess, type RegistryAccess } from '../access.ts';
import { digestOfBlob, generatedBlob } from '../testing/index.ts';
import { createBlobUploader } from '../upload/index.ts';
import { type Distribution, hasDistribution, startDistribution } from '../upload/testing/distribution.ts';
import { listRepositories } from './lists.ts';
import type { Repository } from './repository.ts';
import { readAll } from './testing/answers.ts';

const MIB = 1024 * 1024;
const empty = Buffer.from('{}');
const layer = generatedBlob(24 * MIB, 1);
const layerDescriptor = { mediaType: OCI_LAYER, digest: parseDigest(digestOfBlob(layer)), size: layer.size };
const manifest = serializeManifest({ config: descriptorOf(empty, OCI_EMPTY), layers: [layerDescriptor] });

async function all(names: AsyncIterable<string>): Promise<string[]> {
  const result: string[] = [];
  for await (const name of names) result.push(name);
  return result.sort();
}

// The real thing is a Debian package; the other tests do the same with the registry for tests.
describe.skipIf(!hasDistribution)('CNCF Distribution 2.8', { timeout: 60_000 }, () => {
  let distribution: Distribution;
  let access: RegistryAccess;

  beforeAll(async () => {
    distribution = await startDistribution();
    access = openRegistryAccess({ env: {}, home: distribution.directory });
  });

  afterAll(async () => {
    access?.close();
    await distribution?.stop();
  });

  /** A repository of its own for each test, with an image under the tags 1 and 2. */
  async function withImage(path: string): Promise<Repository> {
    const name = { registry: distribution.host, path };
    const uploader = createBlobUploader({ registries: access.registries, repository: name });
    await uploader.upload(descriptorOf(empty, OCI_EMPTY), async function* (offset) {
      yield empty.subarray(offset);
    });
    await uploader.upload(layerDescriptor, async function* (offset) {
      yield* layer.read(offset, layer.size);
    });
    const repository = access.repository(name);
    for (const tag of ['1', '2']) await repository.putManifest(tag, manifest, OCI_MANIFEST);
    return repository;
  }

  it('gives back what it was given', async () => {
    const repository = await withImage('a/round-trip');
    const descriptor = descriptorOf(manifest, OCI_MANIFEST);
    expect(await repository.resolve('1')).toEqual(descriptor);
    expect(await repository.resolve(descriptor.digest)).toEqual(descriptor);
    expect(await repository.resolve('3')).toBeUndefined();
    expect((await repository.manifest('1')).bytes.equals(manifest)).toBe(true);
    expect(await all(repository.tags())).toEqual(['1', '2']);
    expect(await all(listRepositories(access.registries, distribution.host))).toContain('a/round-trip');
    expect(await repository.blobSize(layerDescriptor.digest)).toBe(layer.size);
    expect(await repository.blobSize(digestOf('not there'))).toBeUndefined();
    expect(digestOf(await readAll(repository.readBlob(layerDescriptor)))).toBe(layerDescriptor.digest);
  });

  it('gives the rest of a blob, whose start is remembered', async () => {
    const repository = await withImage('a/rest');
    let taken = 0;
    for await (const piece of repository.readBlob(layerDescriptor)) {
      taken += piece.length;
      if (taken > 20 * MIB) break;
    }
    const rest = await readAll(repository.readBlob(layerDescriptor, { offset: 18 * MIB }));
    expect(rest.equals(Buffer.concat([...layer.read(18 * MIB, layer.size)]))).toBe(true);
  });

  it('has no referrers API: they are listed under the fallback tag', async () => {
    const repository = await withImage('a/referrers');
    const subject = descriptorOf(manifest, OCI_MANIFEST);
    const config = descriptorOf(empty, OCI_EMPTY);
    const bytes = serializeManifest({ artifactType: 'a/b', config, layers: [], subject });
    const { digest } = await repository.putManifest(digestOf(bytes), bytes, OCI_MANIFEST);
    expect(await repository.referrers(subject.digest)).toMatchObject([{ digest, artifactType: 'a/b' }]);
    expect(await all(repository.tags())).toEqual(['1', '2', fallbackTag(subject.digest)]);
    await repository.deleteManifest(digest);
    expect(await repository.referrers(subject.digest)).toEqual([]);
  });

  it('deletes tags by way of another manifest, and leaves the image under its other tag', async () => {
    const repository = await withImage('a/delete');
    await repository.deleteTag('1');
    expect(await all(repository.tags())).toEqual(['2']);
    expect((await repository.manifest('2')).bytes.equals(manifest)).toBe(true);
    await expect(repository.deleteTag('1')).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
    await repository.deleteManifest(digestOf(manifest));
    expect(await repository.resolve('2')).toBeUndefined();
  });

  it('mounts what it has, and wants an upload of what it has not', async () => {
    const { name } = await withImage('a/from');
    const repository = access.repository({ registry: distribution.host, path: 'a/to' });
    expect(await repository.mountBlob(layerDescriptor.digest, name)).toEqual({ mounted: true });
    expect(await repository.blobSize(layerDescriptor.digest)).toBe(layer.size);
    const answer = await repository.mountBlob(digestOf('not there'), name);
    expect(answer).toMatchObject({ mounted: false, upload: expect.any(URL) });
    if (!answer.mounted && answer.upload !== undefined) await repository.cancelUpload(answer.upload);
  });
});

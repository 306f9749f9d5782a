import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf, parseDigest } from '../../names/digest.ts';
import { putExampleImage } from '../testing/example-images.ts';
import { startTestRegistry, type TestRegistryOptions } from '../testing/index.ts';
import { openRepository } from './open-repository.ts';
import { startAnswers } from './testing/answers.ts';
import { directRegistries } from './testing/direct-registries.ts';

async function setUp(options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  const registries = directRegistries(registry.url);
  const repository = openRepository(registries, { registry: registry.host, path: 'team/app' });
  const other = { registry: registry.host, path: 'team/base' };
  const digest = parseDigest(registry.repository('team/base').putBlob('content'));
  return { registry, registries, repository, content: registry.repository('team/app'), other, digest };
}

describe('blobSize', () => {
  it('is known by HEAD, for this repository only', async () => {
    const { repository, registries, content } = await setUp();
    const digest = parseDigest(content.putBlob('hello'));
    expect(await repository.blobSize(digest)).toBe(5);
    expect(await repository.blobSize(digestOf('content'))).toBeUndefined();
    expect(registries.sent).toEqual([
      `HEAD /v2/team/app/blobs/${digest}`,
      `HEAD /v2/team/app/blobs/${digestOf('content')}`,
    ]);
    expect(registries.requests.some(({ allowMirrors }) => allowMirrors === true)).toBe(false);
  });
});

describe('mounting (threats R11)', () => {
  it('takes a blob over with one request and the scopes of both repositories', async () => {
    const { repository, registries, content, other, digest } = await setUp();
    expect(await repository.mountBlob(digest, other)).toEqual({ mounted: true });
    expect(content.blobs.has(digest)).toBe(true);
    expect(registries.sent).toHaveLength(1);
    expect(registries.requests[0]?.scopes).toEqual([
      { repository: repository.name, actions: ['pull', 'push'] },
      { repository: other, actions: ['pull'] },
    ]);
  });

  it('hands the upload session on that the registry opens instead, or gives it back', async () => {
    const { repository, content, other, digest } = await setUp({ mount: false });
    const answer = await repository.mountBlob(digest, other);
    const upload = answer.mounted ? undefined : answer.upload;
    expect(upload?.pathname).toMatch(/^\/v2\/team\/app\/blobs\/uploads\//);
    expect(content.uploads.size).toBe(1);
    if (upload !== undefined) await repository.cancelUpload(upload);
    expect(content.uploads.size).toBe(0);
    // Gone already: of no consequence.
    if (upload !== undefined) await repository.cancelUpload(upload);
  });

  it('asks nothing when the other repository is this one, or of another registry', async () => {
    const { repository, registries, other, digest } = await setUp();
    expect(await repository.mountBlob(digest, repository.name)).toEqual({ mounted: false });
    expect(await repository.mountBlob(digest, { ...other, registry: 'example.com' })).toEqual({ mounted: false });
    expect(registries.sent).toEqual([]);
  });

  it.each([400, 403, 404, 405])('%i: not mounted, no error', async (status) => {
    const server = await startAnswers(() => ({ status }));
    const from = { ...server.repository.name, path: 'a' };
    expect(await server.repository.mountBlob(digestOf('x'), from)).toEqual({ mounted: false });
  });

  it('does not believe in the mount of another blob', async () => {
    const server = await startAnswers(() => ({ status: 201, headers: { 'docker-content-digest': digestOf('y') } }));
    const from = { ...server.repository.name, path: 'a' };
    expect(await server.repository.mountBlob(digestOf('x'), from)).toEqual({ mounted: false });
  });
});

describe('deleting', () => {
  it('a blob', async () => {
    const { repository, content } = await setUp();
    const digest = parseDigest(content.putBlob('hello'));
    await repository.deleteBlob(digest);
    expect(content.blobs.size).toBe(0);
    await expect(repository.deleteBlob(digest)).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
  });

  it('a manifest with its tags', async () => {
    const { repository, content } = await setUp();
    const { digest } = putExampleImage(content, { tag: '1' });
    await repository.deleteManifest(parseDigest(digest));
    expect([...content.manifests.keys(), ...content.tags.keys()]).toEqual([]);
  });

  it('a tag, keeping the manifest, with one request', async () => {
    const { repository, registries, content } = await setUp();
    const { digest } = putExampleImage(content, { tag: '1' });
    await repository.deleteTag('1');
    expect(content.tags.size).toBe(0);
    expect([...content.manifests.keys()]).toEqual([digest]);
    expect(registries.sent).toEqual(['DELETE /v2/team/app/manifests/1']);
  });

  it('a tag where the registry deletes by digest only: other tags of the image stay', async () => {
    const { repository, registry, content } = await setUp();
    const { digest } = putExampleImage(content, { tag: '1' });
    content.tags.set('2', digest);
    const refused = { method: 'DELETE', path: /manifests\/1$/ };
    registry.faults.add({ on: refused, times: 9, action: { kind: 'status', status: 405 } });
    await repository.deleteTag('1');
    expect([...content.tags]).toEqual([['2', digest]]);
    expect([...content.manifests.keys()]).toEqual([digest]);
  });

  it('a tag where nothing can be deleted: the tag is not touched', async () => {
    const { repository, content } = await setUp({ delete: false });
    const { digest } = putExampleImage(content, { tag: '1' });
    await expect(repository.deleteTag('1')).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
    expect(content.tags.get('1')).toBe(digest);
  });

  it('a tag, with a failure half way: the tag is put back', async () => {
    const { repository, registry, content } = await setUp();
    const { digest } = putExampleImage(content, { tag: '1' });
    registry.faults.add(
      { on: { method: 'DELETE', path: /manifests\/1$/ }, action: { kind: 'status', status: 405 } },
      { on: { method: 'DELETE', path: /sha256:/ }, skip: 1, action: { kind: 'status', status: 403 } },
    );
    await expect(repository.deleteTag('1')).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
    expect(content.tags.get('1')).toBe(digest);
  });

  it('a tag that does not exist is an error', async () => {
    const { repository } = await setUp();
    await expect(repository.deleteTag('nope')).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
  });
});

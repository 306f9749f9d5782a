import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../documents/media-types.ts';
import { type Digest, digestOf, parseDigest } from '../../names/digest.ts';
import { putExampleImage, putExampleIndex } from '../testing/example-images.ts';
import { startTestRegistry, type TestRegistryOptions } from '../testing/index.ts';
import { openRepository } from './open-repository.ts';
import { type Answer, startAnswers } from './testing/answers.ts';
import { directRegistries } from './testing/direct-registries.ts';

async function setUp(options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  const repository = openRepository(directRegistries(registry.url), { registry: registry.host, path: 'team/app' });
  return {
    registry,
    repository,
    content: registry.repository('team/app'),
  };
}

const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
const manifestText = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] });

/** The same answer to every request for a manifest. */
async function answering(body: string | Uint8Array, headers: Answer['headers'] = {}) {
  return await startAnswers(() => ({ body, headers: { 'content-type': OCI_MANIFEST, ...headers } }));
}

describe('resolving', () => {
  it('asks with HEAD, which is no pull', async () => {
    const box = await setUp();
    const image = putExampleImage(box.content, { tag: '1' });
    const { mediaType, digest, size } = image;
    expect(await box.repository.resolve('1')).toEqual({ mediaType, digest, size });
    expect(await box.repository.resolve(digest)).toEqual({ mediaType, digest, size });
    expect(await box.repository.resolve('2')).toBeUndefined();
    expect(box.registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'HEAD']);
  });

  it('asks with GET where HEAD has no digest', async () => {
    const box = await setUp({ digestHeader: false });
    const { digest } = putExampleImage(box.content, { tag: '1' });
    expect(await box.repository.resolve('1')).toMatchObject({ digest });
    expect(box.registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('asks with GET where there is no HEAD', async () => {
    const box = await startAnswers(({ method }) =>
      method === 'HEAD' ? { status: 405 } : { body: manifestText, headers: { 'content-type': OCI_MANIFEST } },
    );
    expect(await box.repository.resolve('1')).toMatchObject({ digest: digestOf(manifestText) });
  });

  it.each([
    ['another digest', { 'docker-content-digest': digestOf('other') }, 'REGISTRY_ANSWER_INVALID'],
    ['no digest in its header', { 'docker-content-digest': 'sha256:../../x' }, 'REGISTRY_ANSWER_INVALID'],
    ['more than 4 MiB', { 'content-length': '4194305' }, 'DOCUMENT_TOO_LARGE'],
    [
      'schema 1',
      { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
      'DOCUMENT_UNSUPPORTED',
    ],
  ])('refuses %s', async (_, headers, code) => {
    const box = await startAnswers((_request, _url, response) => {
      const all = { 'content-type': OCI_MANIFEST, 'content-length': '500', ...headers };
      for (const [name, value] of Object.entries(all)) response.setHeader(name, value);
      response.end();
      return undefined;
    });
    await expect(box.repository.resolve(digestOf(manifestText))).rejects.toMatchObject({ code });
  });

  it('does not put anything else than a tag or digest into a URL', async () => {
    const box = await setUp();
    for (const reference of ['../blobs/x', 'a?b', '', 'sha256:zz', 'a/b', '1%2f']) {
      await expect(box.repository.resolve(reference)).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
      await expect(box.repository.manifest(reference)).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
    }
    expect(box.registry.requests).toEqual([]);
  });
});

describe('fetching', () => {
  it('verifies and reads a manifest with one request', async () => {
    const box = await setUp();
    const { digest, size, mediaType } = putExampleImage(box.content, { tag: '1' });
    const fetched = await box.repository.manifest('1');
    expect(fetched.descriptor).toEqual({ mediaType, digest, size });
    expect(fetched.document).toMatchObject({ kind: 'manifest', mediaType });
    expect(digestOf(fetched.bytes)).toBe(digest);
    expect(box.registry.requests).toHaveLength(1);
  });

  it('keeps what the descriptor of an index says beside type, digest and size', async () => {
    const box = await setUp();
    putExampleIndex(box.content, ['amd64', 'arm64'], { tag: '1' });
    const index = await box.repository.manifest('1');
    const entry = index.document.kind === 'index' ? index.document.manifests[1] : undefined;
    expect(entry?.platform?.architecture).toBe('arm64');
    if (entry !== undefined) expect((await box.repository.manifest(entry)).descriptor).toEqual(entry);
  });

  it('takes sha512 references, also where the registry announces sha256', async () => {
    const box = await answering(manifestText, { 'docker-content-digest': digestOf(manifestText) });
    const sha512 = parseDigest(`sha512:${createHash('sha512').update(manifestText).digest('hex')}`);
    expect((await box.repository.manifest(sha512)).descriptor.digest).toBe(sha512);
  });

  it('takes documents from servers that do not know their type', async () => {
    const box = await answering(manifestText, { 'content-type': 'application/json; charset=utf-8' });
    expect((await box.repository.manifest('1')).descriptor.mediaType).toBe(OCI_MANIFEST);
  });

  const index = (entry: Digest, size: number) =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_INDEX, digest: entry, size }],
    });
  const layers: readonly unknown[] = [];
  const both = JSON.stringify({ schemaVersion: 2, config, layers, manifests: layers });
  const refused: readonly (readonly [string, string, Answer['headers'], string, RegExp])[] = [
    [
      'a header digest that is not that of the bytes',
      manifestText,
      { 'docker-content-digest': digestOf('x') },
      'BLOB_MISMATCH',
      /announces it as sha256:/,
    ],
    [
      'a header digest that is none',
      manifestText,
      { 'docker-content-digest': 'md5:1' },
      'REGISTRY_ANSWER_INVALID',
      /not a digest/,
    ],
    [
      'another type in the header than in the document',
      manifestText,
      { 'content-type': DOCKER_MANIFEST },
      'DOCUMENT_TYPE_MISMATCH',
      /announced as .*docker/,
    ],
    [
      'an unknown type',
      manifestText.replace(OCI_MANIFEST, 'text/x-foo'),
      { 'content-type': 'text/x-foo' },
      'DOCUMENT_UNSUPPORTED',
      /text\/x-foo/,
    ],
    [
      'a document that is manifest and index',
      both,
      { 'content-type': OCI_MANIFEST },
      'DOCUMENT_TYPE_MISMATCH',
      /at the same time/,
    ],
    [
      'schema 1',
      '{"schemaVersion":1,"fsLayers":[]}',
      { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
      'DOCUMENT_UNSUPPORTED',
      /schema 1/,
    ],
    [
      'an HTML page',
      '<!DOCTYPE html><title>log in</title>',
      { 'content-type': 'text/html' },
      'REGISTRY_ANSWER_INVALID',
      /HTML/,
    ],
    [
      'an HTML page that is called JSON',
      '\n<html>',
      { 'content-type': 'application/json' },
      'REGISTRY_ANSWER_INVALID',
      /HTML/,
    ],
    ['no JSON', '{"schemaVersion":2,', {}, 'DOCUMENT_INVALID', /not valid JSON/],
    ['nothing', '', {}, 'DOCUMENT_INVALID', /not valid JSON/],
  ];
  it.each(refused)('refuses %s', async (_, body, headers, code, message) => {
    const box = await answering(body, headers);
    const error = await box.repository.manifest('1.2').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    // Registry, repository and reference: the sentence says where.
    expect(error).toMatchObject({ message: expect.stringMatching(/^manifest 1\.2 of 127\.0\.0\.1:\d+\/team\/app/) });
  });

  it('refuses a manifest of more than 4 MiB, whether its length is known or not', async () => {
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
    const known = await answering(large);
    await expect(known.repository.manifest('1')).rejects.toMatchObject({ code: 'DOCUMENT_TOO_LARGE' });
    const chunked = await startAnswers((_request, _url, response) => {
      response.write(large);
      response.end();
      return undefined;
    });
    await expect(chunked.repository.manifest('1')).rejects.toMatchObject({ code: 'DOCUMENT_TOO_LARGE' });
  });

  it('refuses bytes that are not those of the digest: an index can only seem to name itself', async () => {
    const claimed = digestOf('claimed');
    const box = await answering(index(claimed, 500), { 'content-type': OCI_INDEX });
    // The tag is honest; below it the same index comes again under the digest that it names.
    const outer = await box.repository.manifest('1');
    const entry = outer.document.kind === 'index' ? outer.document.manifests[0] : undefined;
    expect(entry?.digest).toBe(claimed);
    await expect(box.repository.manifest(entry ?? '')).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it('refuses a manifest whose type or size is not that of the index entry (threats D2)', async () => {
    const box = await answering(manifestText);
    const digest = digestOf(manifestText);
    const size = manifestText.length;
    const entry = { mediaType: OCI_MANIFEST, digest, size };
    await expect(box.repository.manifest(entry)).resolves.toBeDefined();
    await expect(box.repository.manifest({ ...entry, size: size + 1 })).rejects.toMatchObject({
      code: 'BLOB_MISMATCH',
    });
    const otherType = { ...entry, mediaType: DOCKER_MANIFEST };
    await expect(box.repository.manifest(otherType)).rejects.toMatchObject({ code: 'DOCUMENT_TYPE_MISMATCH' });
  });

  it('asks the registry itself when what a mirror may have sent is wrong, and mirrors no more', async () => {
    let requests = 0;
    const box = await startAnswers(() => ({
      headers: { 'content-type': OCI_MANIFEST },
      body: requests++ === 0 ? manifestText.replace('[]', '[ ]') : manifestText,
    }));
    expect((await box.repository.manifest(digestOf(manifestText), { mirrors: true })).bytes.toString()).toBe(
      manifestText,
    );
    await box.repository.manifest('1', { mirrors: true });
    expect(box.registries.requests.map(({ allowMirrors }) => allowMirrors)).toEqual([true, false, false]);
  });

  it('asks again when the body is cut off', async () => {
    const box = await setUp({
      faults: [{ on: { kind: 'manifest' }, times: 2, action: { kind: 'cut-down', after: 20 } }],
    });
    const { digest } = putExampleImage(box.content, { tag: '1' });
    expect((await box.repository.manifest('1')).descriptor.digest).toBe(digest);
    expect(box.registry.requests).toHaveLength(3);
  });
});

describe('storing', () => {
  it('puts a manifest under a tag or its digest', async () => {
    const box = await setUp({ incomplete: true });
    const bytes = Buffer.from(manifestText);
    const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
    expect(await box.repository.putManifest('1', bytes, OCI_MANIFEST)).toEqual(descriptor);
    expect(await box.repository.putManifest(descriptor.digest, bytes, OCI_MANIFEST)).toEqual(descriptor);
    expect(box.content.tags.get('1')).toBe(descriptor.digest);
    expect(box.registry.requests).toHaveLength(2);
  });

  it('does not send bytes under a digest that is not theirs', async () => {
    const box = await setUp();
    const put = box.repository.putManifest(digestOf('other'), Buffer.from(manifestText), OCI_MANIFEST);
    await expect(put).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    expect(box.registry.requests).toEqual([]);
  });

  it('does not believe a registry that stored something else', async () => {
    const box = await startAnswers(() => ({ status: 201, headers: { 'docker-content-digest': digestOf('x') } }));
    const put = box.repository.putManifest('1', Buffer.from(manifestText), OCI_MANIFEST);
    await expect(put).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
  });
});

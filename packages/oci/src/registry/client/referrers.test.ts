import { describe, expect, it, onTestFinished } from 'vitest';
import { descriptorOf } from '../../documents/descriptor.ts';
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from '../../documents/media-types.ts';
import { serializeManifest } from '../../documents/serialize.ts';
import { digestOf, parseDigest } from '../../names/digest.ts';
import { fallbackTag } from '../../names/referrer-tag.ts';
import { putExampleImage } from '../testing/example-images.ts';
import { startTestRegistry, type TestRegistryOptions } from '../testing/index.ts';
import { openRepository } from './open-repository.ts';
import { startAnswers } from './testing/answers.ts';
import { directRegistries } from './testing/direct-registries.ts';

async function setUp(options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry({ incomplete: true, ...options });
  onTestFinished(() => registry.close());
  const registries = directRegistries(registry.url);
  const repository = openRepository(registries, { registry: registry.host, path: 'team/app' });
  const content = registry.repository('team/app');
  const image = putExampleImage(content, { tag: '1' });
  const subject = { mediaType: image.mediaType, digest: parseDigest(image.digest), size: image.size };
  /** Pushes something that refers to the image. */
  const refer = async (artifactType: string, name = artifactType) => {
    const bytes = serializeManifest({
      artifactType,
      config: descriptorOf(Buffer.from('{}'), OCI_EMPTY),
      layers: [],
      subject,
      annotations: new Map([['name', name]]),
    });
    return await repository.putManifest(digestOf(bytes), bytes, OCI_MANIFEST);
  };
  return { registry, registries, repository, content, subject, refer };
}

describe('with the referrers API', () => {
  it('lists them, page by page', async () => {
    const { repository, registries, subject, refer } = await setUp({ pageSize: 2 });
    const digests = [];
    for (const type of ['a/b', 'a/c', 'a/b+x', 'a/d', 'a/e']) digests.push((await refer(type)).digest);
    registries.sent.length = 0;
    const referrers = await repository.referrers(subject.digest);
    expect(referrers.map(({ digest }) => digest)).toEqual(digests);
    expect(referrers[0]).toMatchObject({ artifactType: 'a/b', annotations: new Map([['name', 'a/b']]) });
    expect(registries.sent).toHaveLength(3);
  });

  it('pushing one is one request', async () => {
    const { registries, content, subject, refer } = await setUp();
    await refer('a/b');
    expect(registries.sent).toHaveLength(1);
    expect(content.tags.has(fallbackTag(subject.digest))).toBe(false);
  });

  it('filters by artifact type', async () => {
    const { repository, subject, refer } = await setUp();
    await refer('a/b');
    const wanted = await refer('a/c');
    const referrers = await repository.referrers(subject.digest, { artifactType: 'a/c' });
    expect(referrers.map(({ digest }) => digest)).toEqual([wanted.digest]);
  });

  it('nobody refers: an empty list', async () => {
    const { repository, registries } = await setUp();
    expect(await repository.referrers(digestOf('x'))).toEqual([]);
    expect(registries.sent).toHaveLength(1);
  });
});

describe('without the referrers API', () => {
  it('keeps the list under the fallback tag', async () => {
    const { repository, content, subject, refer } = await setUp({ referrers: false });
    const first = await refer('a/b');
    const second = await refer('a/c');
    // The same again changes nothing.
    await refer('a/c');
    const referrers = await repository.referrers(subject.digest);
    expect(referrers.map(({ digest, artifactType }) => [digest, artifactType])).toEqual([
      [first.digest, 'a/b'],
      [second.digest, 'a/c'],
    ]);
    expect(referrers[1]?.annotations).toEqual(new Map([['name', 'a/c']]));
    expect(content.tags.get(fallbackTag(subject.digest))).toBeDefined();
    expect(await repository.referrers(subject.digest, { artifactType: 'a/c' })).toHaveLength(1);
  });

  it('takes the type of the config for want of an artifact type', async () => {
    const { repository, subject } = await setUp({ referrers: false });
    const config = descriptorOf(Buffer.from('{}'), 'application/x-config');
    const bytes = serializeManifest({ config, layers: [], subject });
    await repository.putManifest(digestOf(bytes), bytes, OCI_MANIFEST);
    expect((await repository.referrers(subject.digest))[0]).toMatchObject({ artifactType: 'application/x-config' });
  });

  it('asks for the API once', async () => {
    const { repository, registries, subject } = await setUp({ referrers: false });
    await repository.referrers(subject.digest);
    await repository.referrers(subject.digest);
    expect(registries.sent.filter((line) => line.includes('/referrers/'))).toHaveLength(1);
  });

  it('loses none of several that are pushed at the same time', async () => {
    const { repository, subject, refer } = await setUp({ referrers: false });
    await Promise.all(['a/1', 'a/2', 'a/3', 'a/4'].map(async (type) => await refer(type)));
    expect(await repository.referrers(subject.digest)).toHaveLength(4);
  });

  it('writes the list again when somebody else has replaced it', async () => {
    const { repository, registry, content, subject, refer } = await setUp({ referrers: false });
    const tag = fallbackTag(subject.digest);
    const other = { mediaType: OCI_MANIFEST, digest: digestOf('other'), size: 5, data: 'b3RoZXI=' };
    const replace = () => {
      content.putManifest({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [other], annotations: { k: 'v' } }, tag);
      return undefined;
    };
    // Just before our check.
    registry.faults.add({ on: { method: 'HEAD', kind: 'manifest' }, action: replace });
    const ours = await refer('a/b');
    expect((await repository.referrers(subject.digest)).map(({ digest }) => digest)).toEqual([
      other.digest,
      ours.digest,
    ]);
    const list = content.manifests.get(content.tags.get(tag) ?? '');
    // What others wrote is kept as it was.
    expect(JSON.parse(list?.bytes.toString() ?? '')).toMatchObject({ annotations: { k: 'v' }, manifests: [other, {}] });
  });

  it('does not overwrite an image that has that tag', async () => {
    const { content, subject, refer } = await setUp({ referrers: false });
    const { digest } = putExampleImage(content, { tag: fallbackTag(subject.digest), seed: 5 });
    await expect(refer('a/b')).rejects.toMatchObject({ code: 'DOCUMENT_TYPE_MISMATCH' });
    expect(content.tags.get(fallbackTag(subject.digest))).toBe(digest);
  });

  it('deleting a referrer takes it off the list', async () => {
    const { repository, subject, refer } = await setUp({ referrers: false });
    const first = await refer('a/b');
    const second = await refer('a/c');
    await repository.deleteManifest(first.digest);
    expect((await repository.referrers(subject.digest)).map(({ digest }) => digest)).toEqual([second.digest]);
  });
});

describe('hostile answers', () => {
  const entry = { mediaType: OCI_MANIFEST, digest: digestOf('a'), size: 1 };
  const index = (manifests: readonly object[]) => JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });

  it.each([
    ['an HTML page', '<html>', 'REGISTRY_ANSWER_INVALID'],
    ['an image', JSON.stringify({ schemaVersion: 2, config: entry, layers: [] }), 'DOCUMENT_TYPE_MISMATCH'],
    ['a broken entry', index([{ ...entry, digest: 'sha256:..' }]), 'DOCUMENT_INVALID'],
  ])('%s is refused', async (_, body, code) => {
    const server = await startAnswers(() => ({ body }));
    await expect(server.repository.referrers(digestOf('x'))).rejects.toMatchObject({ code });
  });

  it('nothing refers to itself, and nothing twice', async () => {
    const self = { ...entry, digest: digestOf('x') };
    const server = await startAnswers(() => ({ body: index([entry, self, entry]) }));
    expect(await server.repository.referrers(digestOf('x'))).toEqual([entry]);
  });

  it('lists without end are refused', async () => {
    let number = 0;
    const server = await startAnswers(() => ({
      body: index(Array.from({ length: 2000 }, (_, i) => ({ ...entry, digest: digestOf(`${number} ${i}`) }))),
      headers: { link: `<?page=${++number}>; rel="next"` },
    }));
    await expect(server.repository.referrers(digestOf('x'))).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
  });
});

it('fallback tags are tags, of sha512 digests too', () => {
  expect(fallbackTag(digestOf('x'))).toBe(digestOf('x').replace(':', '-'));
  expect(fallbackTag(digestOf('x', 'sha512'))).toHaveLength(7 + 64);
});

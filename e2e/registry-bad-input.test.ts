import { describe, expect, it } from 'vitest';
import {
  type FaultAction,
  generatedBlob,
  putExampleImage,
  putExampleIndex,
  TestAuthority,
  type TestRegistry,
  type TestRegistryOptions,
} from '../packages/oci/src/registry/testing/index.ts';
import { expectError } from './support/expect-error.ts';
import { testRegistry } from './support/registries.ts';
import { unfinishedWork } from './support/scene.ts';
import { basicAuth, testUser, writeDockerConfig } from './support/user.ts';

const OCI = 'application/vnd.oci.image';
const html: FaultAction = {
  kind: 'status',
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!DOCTYPE html><html><title>Sign in to the network</title></html>',
};

/** A registry that gives out something bad. */
interface BadAnswer {
  readonly what: string;
  readonly options?: TestRegistryOptions;
  /** Puts it there; returns what comes after the host: default `/app:1`. */
  readonly prepare: (registry: TestRegistry) => string | void;
  readonly code: RegExp;
  /** What the error says beside the host. */
  readonly says?: readonly (string | RegExp)[];
}

const badAnswers: readonly BadAnswer[] = [
  {
    what: 'a manifest with another digest than was asked for',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const { digest } = putExampleImage(repository, { tag: '1' });
      const found = repository.manifests.get(digest);
      if (found !== undefined) {
        repository.manifests.set(digest, { ...found, bytes: Buffer.from(`${found.bytes.toString()} `) });
      }
      return `/app@${digest}`;
    },
    code: /^(REGISTRY_ANSWER_INVALID|BLOB_MISMATCH|MANIFEST_MISMATCH)$/,
    says: [/sha256:/],
  },
  {
    what: 'a layer with other bytes',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const { layers } = putExampleImage(repository, { tag: '1', layers: [5000] });
      const [layer = ''] = layers;
      repository.blobs.set(layer, generatedBlob(repository.blobs.get(layer)?.size ?? 0, 77));
    },
    code: /^BLOB_/,
    says: [/sha256:/],
  },
  ...([-1, 1] as const).map(
    (more): BadAnswer => ({
      what: `a layer that is ${more > 0 ? 'longer' : 'shorter'} than its descriptor says`,
      prepare: ({ content }) => {
        const repository = content.repository('app');
        const { layers } = putExampleImage(repository, { tag: '1', layers: [5000] });
        const [layer = ''] = layers;
        repository.blobs.set(layer, generatedBlob((repository.blobs.get(layer)?.size ?? 0) + more, 77));
      },
      code: /^(BLOB_|REGISTRY_ANSWER_INVALID)/,
      says: [/sha256:/],
    }),
  ),
  {
    what: 'a config whose size is another',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const { digest } = putExampleImage(repository);
      const manifest = JSON.parse(repository.manifests.get(digest)?.bytes.toString() ?? '');
      manifest.config.size += 1;
      repository.putManifest(manifest, '1');
    },
    code: /^(BLOB_|REGISTRY_ANSWER_INVALID)/,
    says: [/sha256:/],
  },
  {
    what: 'a layer that is not there',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const { layers } = putExampleImage(repository, { tag: '1' });
      repository.blobs.delete(layers[0] ?? '');
    },
    code: /^(BLOB_MISSING|REGISTRY_NOT_FOUND)$/,
    says: [/sha256:/],
  },
  {
    what: 'a manifest of more than 4 MiB',
    prepare: ({ content }) => {
      content.repository('app').putManifest({ schemaVersion: 2, layers: [], filler: 'x'.repeat(4 << 20) }, '1');
    },
    code: /TOO_LARGE$/,
    says: [/4 ?MiB|4194304|4 MB/],
  },
  {
    what: 'a manifest of a media type that nobody knows',
    prepare: ({ content }) => {
      content.repository('app').putManifest({ schemaVersion: 2, mediaType: 'application/vnd.example.thing+json' }, '1');
    },
    code: /^(MEDIA_TYPE|MANIFEST|DOCUMENT|REGISTRY)_/,
    says: ['application/vnd.example.thing\\+json'],
  },
  {
    what: 'a manifest whose Content-Type is that of an index',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const { digest } = putExampleImage(repository);
      const bytes = repository.manifests.get(digest)?.bytes ?? Buffer.alloc(0);
      repository.putManifest(bytes, '1', `${OCI}.index.v1+json`);
    },
    code: /^(MEDIA_TYPE|MANIFEST|DOCUMENT|REGISTRY)_/,
    says: [/image\.index\.v1\+json/],
  },
  {
    what: 'a document that is a manifest and an index',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const { digest } = putExampleImage(repository);
      const manifest = JSON.parse(repository.manifests.get(digest)?.bytes.toString() ?? '');
      repository.putManifest({ ...manifest, manifests: [] }, '1');
    },
    code: /^(MEDIA_TYPE|MANIFEST|DOCUMENT|REGISTRY)_/,
  },
  {
    what: 'a manifest that is no JSON',
    prepare: ({ content }) => {
      content.repository('app').putManifest('{"schemaVersion": 2,', '1');
    },
    code: /^(JSON|MANIFEST|DOCUMENT|REGISTRY)_/,
  },
  {
    what: 'an index that says it names itself',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const digest = `sha256:${'ab'.repeat(32)}`;
      const mediaType = `${OCI}.index.v1+json`;
      const bytes = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType, manifests: [{ mediaType, digest, size: 300 }] }).padEnd(300),
      );
      repository.manifests.set(digest, { mediaType, bytes });
      repository.tags.set('1', digest);
    },
    code: /^(BLOB|REGISTRY|MANIFEST|INDEX|DOCUMENT)_/,
  },
  {
    what: 'indexes in indexes without end',
    prepare: ({ content }) => {
      const repository = content.repository('app');
      const mediaType = `${OCI}.index.v1+json`;
      let { digest, size, mediaType: below } = putExampleImage(repository);
      for (let depth = 0; depth < 100; depth++) {
        const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [{ mediaType: below, digest, size }] });
        digest = repository.putManifest(text);
        size = text.length;
        below = mediaType;
      }
      repository.tags.set('1', digest);
    },
    code: /^(INDEX|MANIFEST|DOCUMENT|IMAGE|COPY)_/,
  },
  {
    what: 'a manifest of schema 1',
    prepare: ({ content }) => {
      const mediaType = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
      content.repository('app').putManifest({ schemaVersion: 1, name: 'app', tag: '1', fsLayers: [] }, '1', mediaType);
    },
    code: /^(MEDIA_TYPE|MANIFEST|DOCUMENT|REGISTRY)_/,
    says: [/schema( version)? ?1/i],
  },
  {
    what: 'a page of HTML where JSON was expected',
    prepare: ({ faults }) => faults.add({ times: 100, action: html }),
    code: /^(REGISTRY_ANSWER_INVALID|DOCUMENT_|MANIFEST_)/,
    says: [/HTML|text\/html/],
  },
  {
    what: 'tokens that are never enough',
    options: { auth: { kind: 'token', users: { ann: 'secret' }, refuseAll: true } },
    prepare: ({ content }) => {
      putExampleImage(content.repository('app'), { tag: '1' });
    },
    code: /^REGISTRY_UNAUTHORIZED$/,
  },
  {
    what: 'a token service that sends HTML',
    options: { auth: { kind: 'token', users: { ann: 'secret' } } },
    prepare: ({ content, faults }) => {
      putExampleImage(content.repository('app'), { tag: '1' });
      faults.add({ on: { kind: 'token' }, times: 100, action: html });
    },
    code: /^(REGISTRY|TOKEN|AUTH)/,
  },
  {
    what: 'a token of two megabytes',
    options: { auth: { kind: 'token', users: { ann: 'secret' } } },
    prepare: ({ content, faults }) => {
      putExampleImage(content.repository('app'), { tag: '1' });
      const body = JSON.stringify({ token: 'x'.repeat(2 << 20) });
      faults.add({ on: { kind: 'token' }, times: 100, action: { kind: 'status', status: 200, body } });
    },
    code: /^(REGISTRY|TOKEN|AUTH)/,
  },
  {
    what: 'an error text that would repaint the terminal',
    prepare: ({ content, faults }) => {
      const message = '\u001b[2J\u001b[31mall is well\u202e';
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message, detail: null }] });
      putExampleImage(content.repository('app'), { tag: '1' });
      faults.add({ on: { method: 'GET' }, times: 100, action: { kind: 'status', status: 403, body } });
    },
    code: /^REGISTRY_DENIED$/,
    says: [/\\x1b\[2J/],
  },
  {
    what: 'an error text of a megabyte',
    prepare: ({ content, faults }) => {
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'x'.repeat(1 << 20), detail: null }] });
      putExampleImage(content.repository('app'), { tag: '1' });
      faults.add({ on: { method: 'GET' }, times: 100, action: { kind: 'status', status: 403, body } });
    },
    code: /^REGISTRY_DENIED$/,
  },
  {
    what: 'a tag that is not there',
    prepare: ({ content }) => {
      putExampleImage(content.repository('app'), { tag: 'other' });
    },
    code: /^REGISTRY_NOT_FOUND$/,
  },
  {
    what: 'a redirect of a manifest in a circle',
    prepare: ({ faults }) =>
      faults.add({
        times: 100,
        action: { kind: 'status', status: 307, headers: { location: '/v2/app/manifests/1' } },
      }),
    code: /^(REDIRECT_REFUSED|REGISTRY_ANSWER_INVALID)$/,
  },
];

describe('pull refuses, and leaves no image and no unfinished work', () => {
  it.each(badAnswers)('$what', async ({ options, prepare, code, says = [] }) => {
    const registry = await testRegistry(options);
    const target = prepare(registry) ?? '/app:1';
    const user = testUser();
    if (options?.auth?.kind === 'token') {
      writeDockerConfig(user, { auths: { [registry.host]: { auth: basicAuth('ann', 'secret') } } });
    }
    const started = Date.now();
    const result = await user.run(['pull', '--platform', 'all', `${registry.host}${target}`]);
    expectError(result, code, registry.host, 'app', ...says.map((text) => new RegExp(text)));
    expect(result.stderr).toMatch(/^hint: /m);
    expect(result.stderr.length).toBeLessThan(4000);
    expect(result.stderr).not.toContain('\u001b[2J');
    expect((await user.runOk(['images', '--quiet'])).stdout.toString().trim()).toBe('');
    expect(unfinishedWork(user.store)).toEqual([]);
    expect(Date.now() - started).toBeLessThan(20_000);
  });
});

describe('a registry that cannot be reached', () => {
  it('has a name that does not resolve', async () => {
    const result = await testUser().run(['pull', 'registry.invalid/app:1']);
    expectError(result, /^REGISTRY_HOST_UNKNOWN$/, 'registry.invalid', /^hint: /m);
  });

  it('does not listen', async () => {
    const registry = await testRegistry();
    await registry.close();
    const result = await testUser().run(['pull', `${registry.host}/app:1`]);
    expectError(result, /^REGISTRY_CONNECTION$/, registry.host, /^hint: /m);
  });

  const authority = new TestAuthority();
  const day = 86_400_000;
  it.each([
    ['by an authority that nobody trusts', new TestAuthority('stranger').issue({ name: 'x', hosts: ['127.0.0.1'] })],
    ['for another host', authority.issue({ name: 'x', hosts: ['registry.invalid'] })],
    [
      'that has expired',
      authority.issue({
        name: 'x',
        hosts: ['127.0.0.1'],
        notBefore: new Date(Date.now() - 3 * day),
        notAfter: new Date(Date.now() - day),
      }),
    ],
  ])('has a certificate %s', async (_what, tls) => {
    const registry = await testRegistry({ tls });
    putExampleImage(registry.repository('app'), { tag: '1' });
    const user = testUser({ NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: '' });
    const result = await user.run(['pull', `${registry.host}/app:1`]);
    expectError(result, /^REGISTRY_TLS$/, registry.host, /^hint: /m);
    await user.runOk(['pull', '--insecure', `${registry.host}/app:1`]);
  });
});

describe('push', () => {
  it('says what a registry has against it, and that nothing was tagged', async () => {
    const registry = await testRegistry();
    putExampleIndex(registry.repository('app'), ['amd64'], { tag: '1' });
    const user = testUser();
    await user.runOk(['pull', '--quiet', '--platform', 'all', `${registry.host}/app:1`]);
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'tag is immutable', detail: null }] });
    registry.faults.add({
      on: { method: 'PUT', path: /\/manifests\/2$/ },
      times: 100,
      action: { kind: 'status', status: 403, body },
    });
    const result = await user.run(['push', `${registry.host}/app:1`, `${registry.host}/copy:2`]);
    expectError(result, /^REGISTRY_DENIED$/, 'tag is immutable', registry.host, 'copy');
    expect([...registry.repository('copy').tags]).toEqual([]);
    expect(registry.count({ method: 'PUT', path: /\/manifests\/2$/ })).toBe(1);
  });
});

describe('tags', () => {
  it('ends when pages go in a circle', async () => {
    const registry = await testRegistry({ pageSize: 2 });
    for (const tag of ['a', 'b', 'c']) putExampleImage(registry.repository('app'), { tag });
    registry.faults.add({
      on: { kind: 'tags' },
      skip: 1,
      times: 1000,
      action: { kind: 'headers', set: { link: '</v2/app/tags/list?n=2&last=b>; rel="next"' } },
    });
    const result = await testUser().run(['tags', `${registry.host}/app`]);
    expect(registry.count({ kind: 'tags' })).toBeLessThan(5);
    if (result.code !== 0) expectError(result, /^REGISTRY_ANSWER_INVALID$/, registry.host);
  });

  it('does not show what is no tag', async () => {
    const registry = await testRegistry();
    registry.repository('app').tags.set('bad\u001b[2Jtag', `sha256:${'0'.repeat(64)}`);
    const result = await testUser().run(['tags', `${registry.host}/app`]);
    expect(result.stdout.toString()).not.toContain('\u001b');
    expectError(result, /^REGISTRY_ANSWER_INVALID$/, registry.host);
  });
});

import { request as tlsRequest } from 'node:https';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type FaultAction,
  generatedBlob,
  sha256,
  startTestRegistry,
  TestAuthority,
  type TestRegistryOptions,
} from './index.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

async function started(options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, registry.url), { redirect: 'manual', ...init });
  return { registry, call };
}

describe('uploads', () => {
  it('takes a blob by POST and PUT, by one POST, and by PATCHes with their ranges', async () => {
    const { registry, call } = await started();
    const first = await call('/v2/a/b/blobs/uploads/', { method: 'POST' });
    expect(first.status).toBe(202);
    const location = first.headers.get('location') ?? '';
    const put = await call(`${location}&digest=${sha256('one')}`, { method: 'PUT', body: 'one' });
    expect(put.status).toBe(201);
    const single = await call(`/v2/a/b/blobs/uploads/?digest=${sha256('two')}`, { method: 'POST', body: 'two' });
    expect(single.status).toBe(201);
    let next = (await call('/v2/a/b/blobs/uploads/', { method: 'POST' })).headers.get('location') ?? '';
    const chunk = async (range: string, body: string): Promise<Response> => {
      const answer = await call(next, { method: 'PATCH', body, headers: { 'content-range': range } });
      next = answer.headers.get('location') ?? next;
      return answer;
    };
    expect((await chunk('0-1', 'th')).headers.get('range')).toBe('0-1');
    const wrong = await chunk('3-4', 're');
    expect([wrong.status, wrong.headers.get('range')]).toEqual([416, '0-1']);
    expect((await chunk('2-3', 're')).status).toBe(202);
    expect((await call(next)).headers.get('range')).toBe('0-3');
    expect((await call(`${next}&digest=${sha256('three')}`, { method: 'PUT', body: 'e' })).status).toBe(201);
    expect([...registry.repository('a/b').blobs.keys()]).toEqual(['one', 'two', 'three'].map(sha256));
    expect(registry.count({ kind: 'upload', method: 'PATCH' })).toBe(3);
  });

  it('refuses content with another digest, and mounts', async () => {
    const { registry, call } = await started();
    const digest = registry.repository('from').putBlob('content');
    const bad = await call(`/v2/a/blobs/uploads/?digest=${sha256('x')}`, { method: 'POST', body: 'y' });
    expect([bad.status, await bad.json()]).toMatchObject([400, { errors: [{ code: 'DIGEST_INVALID' }] }]);
    const mounted = await call(`/v2/a/blobs/uploads/?mount=${digest}&from=from`, { method: 'POST' });
    expect(mounted.status).toBe(201);
    expect(await (await call(`/v2/a/blobs/${digest}`)).text()).toBe('content');
    expect((await call(`/v2/a/blobs/uploads/?mount=${digest}&from=none`, { method: 'POST' })).status).toBe(202);
  });

  it('takes wrong bytes where it is lenient', async () => {
    const { registry, call } = await started({ lenient: true });
    const answer = await call(`/v2/a/blobs/uploads/?digest=${sha256('x')}`, { method: 'POST', body: 'y' });
    expect(answer.status).toBe(201);
    expect(registry.repository('a').blobs.get(sha256('x'))?.size).toBe(1);
  });

  it('loses its session after a cut PATCH where it behaves like CNCF Distribution', async () => {
    const { call } = await started({
      cutUploads: 'distribution',
      faults: [{ on: { method: 'PATCH' }, action: { kind: 'cut-up', after: 10_000 } }],
    });
    const location = (await call('/v2/a/blobs/uploads/', { method: 'POST' })).headers.get('location') ?? '';
    await expect(call(location, { method: 'PATCH', body: Buffer.alloc(1 << 20) })).rejects.toThrow();
    expect((await call(location)).status).toBe(404);
    const second = (await call('/v2/a/blobs/uploads/', { method: 'POST' })).headers.get('location') ?? '';
    const patched = await call(second, { method: 'PATCH', body: 'x', headers: { 'content-range': '7-7' } });
    expect(patched.headers.get('range')).toBe('0-0');
    expect((await call(patched.headers.get('location') ?? '')).status).toBe(204);
    expect((await call(second)).status).toBe(404);
  });
});

describe('manifests, lists and ranges', () => {
  it('refuses a manifest whose parts are missing', async () => {
    const { registry, call } = await started();
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [] });
    const put = (): Promise<Response> =>
      call('/v2/a/manifests/1', { method: 'PUT', body, headers: { 'content-type': manifestType } });
    expect((await put()).status).toBe(400);
    registry.repository('a').putBlob('{}');
    expect((await put()).headers.get('docker-content-digest')).toBe(sha256(body));
    expect(await (await call('/v2/a/manifests/1')).text()).toBe(body);
  });

  it('gives tags in pages and referrers with their filter', async () => {
    const { registry, call } = await started({ pageSize: 2 });
    const repository = registry.repository('a');
    const digest = repository.putManifest({ mediaType: manifestType }, 'c');
    for (const tag of ['a', 'b']) repository.putManifest({ mediaType: manifestType }, tag);
    for (const artifactType of ['x/1', 'x/2']) repository.putManifest({ artifactType, subject: { digest } });
    const page = await call('/v2/a/tags/list');
    expect([await page.json(), page.headers.get('link')]).toEqual([
      { name: 'a', tags: ['a', 'b'] },
      '</v2/a/tags/list?n=2&last=b>; rel="next"',
    ]);
    expect(await (await call('/v2/a/tags/list?n=2&last=b')).json()).toEqual({ name: 'a', tags: ['c'] });
    const referrers = await call(`/v2/a/referrers/${digest}?artifactType=x/2`);
    expect(referrers.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await referrers.json()).toMatchObject({ manifests: [{ artifactType: 'x/2' }] });
  });

  it('gives parts of blobs, also through the other origin, which wants no credentials', async () => {
    const { registry, call } = await started({ redirectBlobs: true });
    const blob = generatedBlob(3_000_000, 1);
    const digest = registry.repository('a').putStored(blob);
    const redirect = await call(`/v2/a/blobs/${digest}`);
    const storage = redirect.headers.get('location') ?? '';
    expect(new URL(storage).host).toBe(registry.elsewhere);
    const whole = Buffer.from(await (await fetch(storage)).arrayBuffer());
    expect(sha256(whole)).toBe(digest);
    const part = await fetch(storage, { headers: { range: 'bytes=1500000-1500009' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 1500000-1500009/3000000']);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(1_500_000, 1_500_010));
    expect((await fetch(storage, { headers: { authorization: 'Basic eDp5' } })).status).toBe(400);
  });
});

describe('authentication and TLS', () => {
  it('wants tokens, and no longer takes them when they have expired', async () => {
    const { registry, call } = await started({ auth: { kind: 'token', users: { ann: 'secret' } } });
    registry.repository('a').putManifest({ mediaType: manifestType }, '1');
    const refused = await call('/v2/a/manifests/1');
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="${registry.url}/token",service="test-registry",scope="repository:a:pull"`,
    );
    const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    const given = await call('/token?service=test-registry&scope=repository:a:pull', { headers: { authorization } });
    const answer: unknown = await given.json();
    expect(answer).toMatchObject({ expires_in: 300, token: expect.any(String) });
    const [token] = registry.tokens?.given.keys() ?? [];
    const bearer = { headers: { authorization: `Bearer ${token}` } };
    expect((await call('/v2/a/manifests/1', bearer)).status).toBe(200);
    expect((await call('/v2/a/blobs/uploads/', { ...bearer, method: 'POST' })).status).toBe(401);
    registry.tokens?.expireAll();
    expect((await call('/v2/a/manifests/1', bearer)).status).toBe(401);
  });

  it('has certificates that a client can verify', async () => {
    const authority = new TestAuthority();
    const { registry } = await started({ tls: authority.issue({ name: 'server', hosts: ['127.0.0.1', 'localhost'] }) });
    const status = await new Promise((fulfil, reject) => {
      tlsRequest(`${registry.url}/v2/`, { ca: authority.ca, agent: false }, (answer) => {
        answer.resume();
        fulfil(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

describe('faults', () => {
  it('strike every Nth fitting request, so often', async () => {
    const { registry, call } = await started({
      faults: [
        { on: { kind: 'ping' }, skip: 1, every: 2, times: 2, action: { kind: 'status', status: 503 } },
        { on: { kind: 'tags' }, action: { kind: 'lost-answer' } },
      ],
    });
    const statuses: number[] = [];
    for (let time = 0; time < 6; time++) statuses.push((await call('/v2/')).status);
    expect(statuses).toEqual([200, 503, 200, 503, 200, 200]);
    await expect(call('/v2/a/tags/list')).rejects.toThrow();
    expect(registry.faults.struck).toEqual([2, 1]);
    expect(registry.requests.at(-1)).toMatchObject({ kind: 'tags', status: 0, fault: 'lost-answer' });
  });

  it('slow bodies down, delay answers, and never answer', async () => {
    const { registry, call } = await started();
    const digest = registry.repository('a').putBlob(Buffer.alloc(10_000, 'x'));
    const timed = async (action: FaultAction): Promise<number> => {
      registry.faults.add({ action });
      const start = performance.now();
      await (await call(`/v2/a/blobs/${digest}`)).arrayBuffer();
      return performance.now() - start;
    };
    expect(await timed({ kind: 'slow-down', bytesPerSecond: 50_000 })).toBeGreaterThan(150);
    expect(await timed({ kind: 'delay', ms: 100 })).toBeGreaterThan(95);
    registry.faults.add({ action: { kind: 'stall' } });
    await expect(call('/v2/', { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    registry.faults.add({ action: { kind: 'stall-down', after: 10 } });
    const answer = await call(`/v2/a/blobs/${digest}`, { signal: AbortSignal.timeout(100) });
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it('cut, shorten and change bodies', async () => {
    const { registry, call } = await started();
    const digest = registry.repository('a').putBlob(Buffer.alloc(1000, 'x'));
    const read = async (): Promise<Buffer> => Buffer.from(await (await call(`/v2/a/blobs/${digest}`)).arrayBuffer());
    registry.faults.add({ action: { kind: 'cut-down', after: 400 } });
    await expect(read()).rejects.toThrow();
    registry.faults.add({ action: { kind: 'truncate', at: 400 } });
    expect(await read()).toHaveLength(400);
    registry.faults.add({ action: { kind: 'corrupt', at: 5000 } });
    expect((await read()).indexOf(0x78 ^ 0xff)).toBe(500);
    registry.faults.add({ action: { kind: 'status', status: 413, early: true } });
    const early = await call('/v2/a/blobs/uploads/?digest=x', { method: 'POST', body: Buffer.alloc(1 << 16) });
    expect(early.status).toBe(413);
    expect(await read()).toHaveLength(1000);
  });
});

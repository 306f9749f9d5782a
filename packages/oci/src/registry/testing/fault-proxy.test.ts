import { expect, it, onTestFinished } from 'vitest';
import {
  findProblems,
  generatedBlob,
  putExampleIndex,
  sha256,
  startFaultProxy,
  startTestRegistry,
  type TestRegistry,
} from './index.ts';

async function started() {
  const registry = await startTestRegistry();
  const proxy = await startFaultProxy({ upstream: registry.url });
  onTestFinished(async () => {
    await proxy.close();
    await registry.close();
  });
  return { registry, proxy };
}

function putImages(registry: TestRegistry) {
  return putExampleIndex(registry.repository('a'), ['amd64', 'arm64'], { layers: [300_000, 'x'], tag: '1' });
}

it('passes everything on, both ways', async () => {
  const { registry, proxy } = await started();
  putImages(registry);
  expect(await findProblems(proxy.url, 'a', '1')).toEqual([]);
  const begun = await fetch(`${proxy.url}/v2/a/blobs/uploads/`, { method: 'POST' });
  const location = begun.headers.get('location') ?? '';
  expect(new URL(location).host).toBe(proxy.host);
  const body = Buffer.concat([...generatedBlob(2_000_000, 9).read(0, 2_000_000)]);
  expect((await fetch(`${location}&digest=${sha256(body)}`, { method: 'PUT', body })).status).toBe(201);
  expect(proxy.requests.at(-1)).toMatchObject({ method: 'PUT', received: 2_000_000, status: 201 });
  expect(registry.requests).toHaveLength(proxy.requests.length);
});

it('cuts and corrupts on the way', async () => {
  const { registry, proxy } = await started();
  const { images } = putImages(registry);
  const blob = `${proxy.url}/v2/a/blobs/${images[0]?.layers[0]}`;
  proxy.faults.add({ on: { kind: 'blob' }, action: { kind: 'cut-down', after: 1000 } });
  await expect(fetch(blob).then((answer) => answer.arrayBuffer())).rejects.toThrow();
  proxy.faults.add({ on: { kind: 'upload' }, action: { kind: 'corrupt-up', at: 3 } });
  const upload = `${proxy.url}/v2/a/blobs/uploads/?digest=${sha256('12345')}`;
  expect((await fetch(upload, { method: 'POST', body: '12345' })).status).toBe(400);
  proxy.faults.add({ on: { kind: 'upload' }, action: { kind: 'lost-answer' } });
  await expect(fetch(upload, { method: 'POST', body: '12345' })).rejects.toThrow();
  expect(registry.repository('a').blobs.has(sha256('12345'))).toBe(true);
  proxy.faults.add({ on: { kind: 'upload' }, action: { kind: 'cut-up', after: 100_000 } });
  await expect(fetch(upload, { method: 'POST', body: Buffer.alloc(3_000_000) })).rejects.toThrow();
});

it('finds what is missing, changed or cut off in a registry', async () => {
  const { registry } = await started();
  const repository = registry.repository('a');
  const { images } = putImages(registry);
  const [first, second] = images;
  repository.blobs.delete(first?.config ?? '');
  repository.putStored(generatedBlob(10, 1), first?.layers[1]);
  repository.manifests.delete(second?.digest ?? '');
  expect(await findProblems(registry.url, 'a', '1')).toEqual([
    `blob ${first?.config}: status 404`,
    expect.stringMatching(/^blob sha256:\w+: 10 bytes instead of 2048$/),
    expect.stringMatching(/^blob sha256:\w+: content is /),
    `manifest ${second?.digest}: status 404`,
  ]);
  expect(await findProblems(registry.url, 'a', '1', { partialIndexes: true })).toHaveLength(3);
});

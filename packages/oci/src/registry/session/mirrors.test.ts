import { afterEach, describe, expect, it } from 'vitest';
import { defaultSettings, type RegistriesConfig } from '../config/registries-config.ts';
import { manifestRequest, openSession, startSeeing, type TestSession } from './testing/session.ts';

const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(status: number, text = ''): ReturnType<typeof startSeeing> {
  const server = await startSeeing((_request, response) => {
    response.statusCode = status;
    response.end(text);
  });
  stops.push(() => server.stop());
  return server;
}

function open(registry: string, mirrors: readonly string[]): TestSession {
  const config: RegistriesConfig = {
    registries: new Map([[registry, { ...defaultSettings, mirrors }]]),
    allInsecure: false,
  };
  const scopes: unknown[] = [];
  const session = openSession({
    config,
    authenticator: {
      header: async (_origin, host, asked) => {
        scopes.push([host, asked]);
        return undefined;
      },
      answer: async () => undefined,
      describe: async () => 'no credentials',
    },
  });
  stops.push(() => session.stop());
  return session;
}

const scope = (registry: string) => [{ repository: { registry, path: 'app' }, actions: ['pull'] as const }];

describe('mirrors', () => {
  it('answer first, under the path that is set for them', async () => {
    const registry = await serve(200, 'registry');
    const mirror = await serve(200, 'mirror');
    const { registries } = open(registry.host, [`http://${mirror.host}/hub/`]);
    const name = { registry: registry.host, path: 'app' };
    const request = manifestRequest({ allowMirrors: true, scopes: scope(registry.host), expect: [200, 404] });
    expect((await (await registries.send(name, request)).bytes(20)).toString()).toBe('mirror');
    expect(mirror.requests).toEqual(['GET /v2/hub/app/manifests/1']);
    expect(registry.requests).toEqual([]);
  });

  it.each([404, 401, 500, 204])(
    'that answer %i leave it to the next, and the registry has the last word',
    async (status) => {
      const registry = await serve(200, 'registry');
      const first = await serve(status);
      const second = await serve(status);
      const { registries, events } = open(registry.host, [first.host, second.host]);
      const name = { registry: registry.host, path: 'app' };
      const request = manifestRequest({ allowMirrors: true, expect: [200, 404] });
      for (let round = 0; round < 2; round++) {
        expect((await (await registries.send(name, request)).bytes(20)).toString()).toBe('registry');
      }
      // One that is broken is left alone for a while; one that lacks something may have the next.
      expect(first.requests).toHaveLength(status === 500 ? 1 : 2);
      expect(second.requests).toHaveLength(status === 500 ? 1 : 2);
      expect(events[0]).toMatchObject({
        kind: 'retry',
        registry: registry.host,
        why: expect.stringContaining(first.host),
      });
    },
  );

  it('are not asked for what is written, nor for what is not about the repository', async () => {
    const registry = await serve(200, 'registry');
    const mirror = await serve(200, 'mirror');
    const { registries } = open(registry.host, [mirror.host]);
    const name = { registry: registry.host, path: 'app' };
    const send = async (more: Parameters<typeof manifestRequest>[0]) =>
      (await (await registries.send(name, manifestRequest(more))).bytes(20)).toString();
    expect(await send({})).toBe('registry');
    expect(await send({ method: 'PUT', body: Buffer.from('x') })).toBe('registry');
    expect(await send({ allowMirrors: true, target: '/v2/_catalog' })).toBe('registry');
    expect(await send({ allowMirrors: true, target: '/v2/application/tags/list' })).toBe('registry');
    expect(mirror.requests).toEqual([]);
  });
});

it('requestsPerSecond spreads requests', async () => {
  const server = await serve(200);
  const config: RegistriesConfig = {
    registries: new Map([[server.host, { ...defaultSettings, requestsPerSecond: 20, concurrency: 7 }]]),
    allInsecure: false,
  };
  const session = openSession({ config });
  stops.push(() => session.stop());
  const { registries } = session;
  const start = performance.now();
  const name = { registry: server.host, path: 'app' };
  await Promise.all([1, 2, 3, 4, 5].map(async () => (await registries.send(name, manifestRequest())).discard()));
  expect(performance.now() - start).toBeGreaterThan(195);
  expect(registries.concurrency(server.host)).toBe(7);
  expect(registries.concurrency('other.example')).toBe(6);
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { Authenticator } from '../auth/authenticator.ts';
import { createTransport } from '../transport/index.ts';
import { openRegistries } from './open-registries.ts';
import type { RegistryEvent, RegistryRequest } from './registries.ts';

const anonymous: Authenticator = {
  header: async () => undefined,
  answer: async () => undefined,
  describe: async () => 'none',
};
const request: RegistryRequest = { method: 'GET', target: '/v2/', scopes: [], expect: [200], what: 'the API version' };
const timing = { tries: 5, firstMs: 1, maxMs: 2, maxAskedMs: 2 };

async function listen(): Promise<{ registry: string; stop: () => void }> {
  const server = createServer((_request, response) => response.setHeader('connection', 'close').end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The cast: it listens on TCP.
  const { port } = server.address() as AddressInfo;
  return { registry: `127.0.0.1:${port}`, stop: () => server.close() };
}

it('is told soon where nobody has ever listened, later where somebody has', async () => {
  const { registry, stop } = await listen();
  const events: RegistryEvent[] = [];
  const open = () =>
    openRegistries({
      transport: createTransport({}),
      authenticator: anonymous,
      timing,
      onEvent: (one) => events.push(one),
    });
  const known = open();
  await (await known.send({ registry, path: 'x' }, request)).discard();
  stop();
  await expect(known.send({ registry, path: 'x' }, request)).rejects.toMatchObject({ details: { tries: 5 } });
  events.length = 0;
  const fresh = open();
  await expect(fresh.send({ registry, path: 'x' }, request)).rejects.toMatchObject({
    code: 'REGISTRY_CONNECTION',
    details: { tries: 2, system: 'ECONNREFUSED' },
  });
  expect(events).toHaveLength(1);
  known.close();
  fresh.close();
});

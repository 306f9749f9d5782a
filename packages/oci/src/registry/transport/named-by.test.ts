import { afterEach, describe, expect, it } from 'vitest';
import { type AddressKind, addressKind } from './address-kind.ts';
import { Addresses } from './addresses.ts';
import { errorCode } from './connection-errors.ts';
import type { HttpTransport } from './http.ts';
import { type LoopbackServer, startServer } from './testing/loopback-server.ts';
import { createTransport, type TransportOptions } from './transport.ts';

const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Everything is on loopback addresses: some of them stand for others. */
const standIns: ReadonlyMap<string, AddressKind> = new Map([
  ['127.0.0.2', 'public'],
  ['127.0.0.3', 'private'],
  ['127.0.0.4', 'link-local'],
]);

function transportWith(options: TransportOptions = {}): HttpTransport {
  const classifyAddress = (address: string) => standIns.get(address) ?? addressKind(address);
  const transport = createTransport({ classifyAddress, ...options });
  stops.push(() => transport.close());
  return transport;
}

async function serve(address: string, name?: string): Promise<LoopbackServer> {
  const server = await startServer((_request, response) => void response.end('ok'), {
    address,
    ...(name === undefined ? {} : { name }),
  });
  stops.push(() => server.stop());
  return server;
}

describe('R1: what a registry may send us to', () => {
  it.each([
    ['127.0.0.2', '127.0.0.2', true],
    ['127.0.0.2', '127.0.0.3', false],
    ['127.0.0.2', '127.0.0.1', false],
    ['127.0.0.2', '127.0.0.4', false],
    ['127.0.0.3', '127.0.0.2', true],
    ['127.0.0.3', '127.0.0.3', true],
    ['127.0.0.3', '127.0.0.1', false],
    ['127.0.0.1', '127.0.0.3', true],
    ['127.0.0.1', '127.0.0.4', false],
    ['127.0.0.4', '127.0.0.4', true],
  ])('%s names %s: %s', async (from, to, isAllowed) => {
    const namer = await serve(from);
    const named = await serve(to);
    const transport = transportWith();
    await (await transport.send({ method: 'GET', url: namer.url })).discard();
    const sent = transport.send({ method: 'GET', url: named.url, namedBy: namer.url });
    if (isAllowed) {
      expect((await (await sent).bytes(10)).toString()).toBe('ok');
    } else {
      await expect(sent).rejects.toMatchObject({ code: 'REDIRECT_REFUSED', details: { transient: false } });
      expect(named.connections()).toBe(0);
    }
  });

  it('a name is judged by the address that it resolves to', async () => {
    const addresses = new Addresses();
    const lookup = (namer: AddressKind, all: boolean) =>
      new Promise((resolve) => {
        addresses.guardedLookup(namer)('localhost', { all, family: 4 }, (error, found, family) => {
          resolve(error === null ? [found, family] : errorCode(error));
        });
      });
    expect(await lookup('public', true)).toBe('REDIRECT_REFUSED');
    expect(await lookup('private', false)).toBe('REDIRECT_REFUSED');
    expect(await lookup('loopback', false)).toEqual(['127.0.0.1', 4]);
    expect(await lookup('loopback', true)).toEqual([[{ address: '127.0.0.1', family: 4 }], undefined]);
  });

  it('a name that has answered from far away does not come nearer (DNS rebinding)', async () => {
    const addresses = new Addresses();
    addresses.record('registry.example', '10.0.0.1');
    expect(await addresses.kindOf('registry.example', false)).toBe('private');
    addresses.record('registry.example', '8.8.8.8');
    addresses.record('registry.example', '127.0.0.1');
    expect(await addresses.kindOf('registry.example', false)).toBe('public');
  });

  it('a connection that the user asked for is not used for what a stranger names', async () => {
    const namer = await serve('127.0.0.2');
    const named = await serve('127.0.0.1');
    const transport = transportWith();
    await (await transport.send({ method: 'GET', url: named.url })).discard();
    const sent = transport.send({ method: 'GET', url: named.url, namedBy: namer.url });
    await expect(sent).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(named.requests).toHaveLength(1);
  });

  it('behind a proxy, addresses are judged as they are written', async () => {
    const proxy = await serve('127.0.0.1');
    const transport = transportWith({ env: { HTTP_PROXY: proxy.url.href } });
    const namedBy = new URL('http://registry.example/');
    const send = (url: string) => transport.send({ method: 'GET', url: new URL(url), namedBy });
    await (await send('http://storage.example/blob')).discard();
    expect(proxy.requests).toEqual(['GET http://storage.example/blob']);
    for (const url of ['http://10.0.0.1/', 'http://[::ffff:a9fe:a9fe]/', 'http://0x7f.1/', 'http://x.localhost/']) {
      await expect(send(url)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    }
    expect(proxy.requests).toHaveLength(1);
  });

  it('who is trusted may name any address', async () => {
    const namer = await serve('127.0.0.2');
    const named = await serve('127.0.0.1');
    const transport = transportWith({ isTrustedNamer: (url) => url.hostname === '127.0.0.2' });
    const answer = await transport.send({ method: 'GET', url: named.url, namedBy: namer.url });
    expect(answer.status).toBe(200);
    await answer.discard();
  });
});

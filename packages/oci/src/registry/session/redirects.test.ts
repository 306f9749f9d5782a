import { afterEach, describe, expect, it } from 'vitest';
import { defaultSettings } from '../config/registries-config.ts';
import type { LoopbackServer } from '../transport/testing/loopback-server.ts';
import { makeEndpoint } from './endpoint.ts';
import { resolveTarget } from './redirects.ts';
import {
  fixedHeader,
  manifestRequest,
  openSession,
  type SessionOptions,
  startSeeing,
  type TestSession,
} from './testing/session.ts';

const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function see(...args: Parameters<typeof startSeeing>): ReturnType<typeof startSeeing> {
  const server = await startSeeing(...args);
  stops.push(() => server.stop());
  return server;
}

function open(options: SessionOptions = {}): TestSession {
  const session = openSession({ authenticator: fixedHeader('Bearer secret'), ...options });
  stops.push(() => session.stop());
  return session;
}

const ok: Parameters<typeof startSeeing>[0] = (_request, response) => void response.end('{}');

/** The scheme has been found out, so that the next request has its header from the start. */
async function known(session: TestSession, server: LoopbackServer): Promise<void> {
  const response = await session.registries.send(
    { registry: server.host, path: 'app' },
    manifestRequest({ target: '/v2/' }),
  );
  await response.discard();
}

describe('R1: credentials belong to an origin', () => {
  it('they stay with a redirect inside it, and are not sent outside, nor on the way back', async () => {
    const session = open();
    const registry = await see(({ url }, response) => {
      if (url === '/v2/app/manifests/1') response.writeHead(307, { location: '/v2/app/manifests/2' });
      if (url === '/v2/app/manifests/2') response.writeHead(302, { location: `${storage.url.href}blob?signature=x` });
      response.end('{}');
    });
    const storage = await see((_request, response) => {
      response.writeHead(307, { location: `${registry.url.href}v2/app/back` });
      response.end();
    });
    await known(session, registry);
    const headers = { accept: 'a/b', range: 'bytes=1-', 'x-registry-auth': 'secret', cookie: 'secret' };
    const response = await session.registries.send(
      { registry: registry.host, path: 'app' },
      manifestRequest({ headers }),
    );
    expect(response.url.pathname).toBe('/v2/app/back');
    await response.discard();
    const authorizations = (seen: typeof registry.seen) =>
      seen.map(({ url, headers: all }) => [url, all.authorization]);
    expect(authorizations(registry.seen)).toEqual([
      ['/v2/', undefined],
      ['/v2/app/manifests/1', 'Bearer secret'],
      ['/v2/app/manifests/2', 'Bearer secret'],
      ['/v2/app/back', undefined],
    ]);
    expect(storage.seen).toHaveLength(1);
    expect(storage.seen[0]?.headers).toMatchObject({ accept: 'a/b', range: 'bytes=1-' });
    expect(JSON.stringify([storage.seen, registry.seen.at(-1)])).not.toContain('secret');
  });

  it('an upload Location on another port gets none, and its challenge is not answered', async () => {
    let asked = 0;
    const authenticator = {
      ...fixedHeader('Bearer secret'),
      answer: async () => {
        asked++;
        return 'Bearer other';
      },
    };
    const session = open({ authenticator });
    const registry = await see(ok);
    const other = await see((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="give"' });
      response.end();
    });
    await known(session, registry);
    const body = Buffer.from('abc');
    const headers = { 'content-type': 'application/octet-stream', 'x-own': 'secret' };
    const upload = manifestRequest({
      method: 'PUT',
      target: new URL('/upload/1', other.url),
      body,
      headers,
      expect: [201],
    });
    const sent = session.registries.send({ registry: registry.host, path: 'app' }, upload);
    await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(asked).toBe(0);
    expect(JSON.stringify(other.seen)).not.toContain('secret');
    expect(other.seen[0]?.headers['content-type']).toBe('application/octet-stream');
  });

  it('a public registry does not make us ask this machine', async () => {
    const inner = await see(ok);
    const registry = await see(
      (_request, response) => {
        response.writeHead(307, { location: inner.url.href });
        response.end();
      },
      { address: '127.0.0.2' },
    );
    const name = { registry: registry.host, path: 'app' };
    const { registries } = open();
    await expect(registries.send(name, manifestRequest())).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      message: expect.stringContaining(
        `cannot read manifest 1 of ${registry.host}/app: 127.0.0.1 is a loopback address`,
      ),
      hint: expect.stringContaining('privateRedirects'),
    });
    const location = manifestRequest({ target: inner.url, method: 'PATCH', body: Buffer.from('x') });
    await expect(registries.send(name, location)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(inner.connections()).toBe(0);
    const trusting = open({ isTrustedNamer: (url) => url.host === registry.host });
    await (await trusting.registries.send(name, manifestRequest())).discard();
    expect(inner.requests).toHaveLength(1);
  });
});

describe('redirects', () => {
  it('in circles end', async () => {
    const registry = await see((_request, response) => {
      response.writeHead(302, { location: '/v2/app/manifests/1' });
      response.end();
    });
    const sent = open().registries.send({ registry: registry.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_ANSWER_INVALID',
      message: expect.stringContaining('circles'),
    });
    expect(registry.seen.length).toBeLessThan(10);
  });

  it.each([
    ['nothing', undefined],
    ['no URL', 'http://['],
    ['another scheme', 'file:///etc/passwd'],
  ])('to %s are refused', async (_name, location) => {
    const registry = await see((_request, response) => {
      response.writeHead(302, location === undefined ? {} : { location });
      response.end();
    });
    const sent = open().registries.send({ registry: registry.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID', details: { what: 'manifest 1' } });
  });

  it.each([
    [307, 'PUT', 201],
    [308, 'PUT', 201],
    [302, 'PUT', undefined],
    [303, 'POST', undefined],
  ] as const)('%i of %s', async (status, method, becomes) => {
    const registry = await see(async ({ url }, response, incoming) => {
      const pieces: Buffer[] = [];
      for await (const piece of incoming) pieces.push(piece as Buffer); // without an encoding, pieces are bytes
      if (url === '/v2/moved') response.writeHead(201);
      else if (url !== '/v2/') response.writeHead(status, { location: '/v2/moved' });
      response.end(Buffer.concat(pieces));
    });
    const session = open();
    await known(session, registry);
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc');
    }
    const request = manifestRequest({ method, body: stream, bodySize: 3, expect: [201] });
    const sent = session.registries.send({ registry: registry.host, path: 'app' }, request);
    if (becomes === undefined) await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
    else expect((await (await sent).bytes(10)).toString()).toBe('abc');
  });
});

describe('resolveTarget', () => {
  const endpoint = makeEndpoint('registry.example', defaultSettings);
  const insecure = makeEndpoint('registry.example', { ...defaultSettings, insecure: true });
  const from = new URL('https://registry.example:5443/v2/app/blobs/uploads/');

  it.each([
    ['/v2/x?a=b#c', 'https://registry.example:5443/v2/x?a=b'],
    ['other', 'https://registry.example:5443/v2/app/blobs/uploads/other'],
    ['https://me:secret@storage.example/x', 'https://storage.example/x'],
    // Registries behind a proxy that ends TLS do not know how they are reached.
    ['http://registry.example/v2/x', 'https://registry.example:5443/v2/x'],
    ['http://registry.example:5443/v2/x', 'https://registry.example:5443/v2/x'],
    ['http://registry.example:443/v2/x', 'https://registry.example:5443/v2/x'],
  ])('%s', (target, expected) => {
    expect(resolveTarget(target, from, endpoint).href).toBe(expected);
  });

  it.each(['http://registry.example:8080/x', 'http://storage.example/x'])('%s leaves HTTPS', (target) => {
    expect(() => resolveTarget(target, from, endpoint)).toThrow(expect.objectContaining({ code: 'REDIRECT_REFUSED' }));
    expect(resolveTarget(target, from, insecure).href).toBe(target);
  });
});

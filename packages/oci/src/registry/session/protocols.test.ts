import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defaultSettings, emptyConfig, withInsecure } from '../config/registries-config.ts';
import type { HttpTransport } from '../transport/http.ts';
import { type KeyPair, makeAuthority, missingOpenssl, type TestAuthority } from '../transport/testing/certificates.ts';
import { type LoopbackServer, startRawServer } from '../transport/testing/loopback-server.ts';
import { createTransport } from '../transport/transport.ts';
import { makeEndpoint } from './endpoint.ts';
import { withBody } from './error-body.ts';
import { openRegistries } from './open-registries.ts';
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

function open(options: SessionOptions = {}): TestSession {
  const session = openSession({ authenticator: fixedHeader('Bearer secret'), timing: { tries: 2 }, ...options });
  stops.push(() => session.stop());
  return session;
}

const see: typeof startSeeing = async (...args) => {
  const server = await startSeeing(...args);
  stops.push(() => server.stop());
  return server;
};

const ok: Parameters<typeof startSeeing>[0] = (_request, response) => void response.end('{}');

async function ask({ registries }: TestSession, registry: string, method: 'GET' | 'HEAD' = 'GET'): Promise<string> {
  const response = await registries.send({ registry, path: 'app' }, { ...manifestRequest(), method });
  await response.discard();
  return response.url.protocol;
}

describe('makeEndpoint', () => {
  const urls = (registry: string, more: Partial<typeof defaultSettings> = {}): string[] =>
    makeEndpoint(registry, { ...defaultSettings, ...more }).candidates.map(({ href }) => href);

  it('is HTTPS, unless it is this machine or set otherwise', () => {
    expect(urls('registry.example')).toEqual(['https://registry.example/']);
    expect(urls('docker.io')).toEqual(['https://registry-1.docker.io/']);
    expect(urls('192.168.0.1:5000')).toEqual(['https://192.168.0.1:5000/']);
    expect(urls('localhost:5000')).toEqual(['http://localhost:5000/', 'https://localhost:5000/']);
    expect(urls('[::1]:5000')).toEqual(['http://[::1]:5000/', 'https://[::1]:5000/']);
    expect(urls('registry.example', { plainHttp: true })).toEqual(['http://registry.example/']);
    expect(urls('registry.example', { insecure: true })).toEqual([
      'https://registry.example/',
      'http://registry.example/',
    ]);
  });
});

describe('a registry on this machine', () => {
  it('is asked over plain HTTP first, without credentials, and with the request itself', async () => {
    const server = await see(ok);
    const session = open();
    expect(await ask(session, server.host)).toBe('http:');
    expect(await ask(session, server.host)).toBe('http:');
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer secret']);
  });

  it('is found out once for requests beside each other', async () => {
    const server = await see(ok);
    const session = open();
    await Promise.all([1, 2, 3, 4].map(() => ask(session, server.host)));
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      ...Array(3).fill('Bearer secret'),
    ]);
  });

  it('is found out before a stream is begun', async () => {
    const server = await see((_request, response, incoming) => {
      incoming.resume();
      incoming.on('end', () => response.end('{}'));
    });
    let made = 0;
    async function* stream(): AsyncGenerator<Uint8Array> {
      made++;
      yield Buffer.from('abc');
    }
    const request = manifestRequest({ method: 'PUT', body: stream, bodySize: 3 });
    await (await open().registries.send({ registry: server.host, path: 'app' }, request)).discard();
    expect(server.requests).toEqual(['GET /v2/', 'PUT /v2/app/manifests/1']);
    expect(made).toBe(1);
  });

  it('that refuses the first request with 400 is heard', async () => {
    const server = await see((_request, response) => {
      response.writeHead(400);
      response.end('no such thing');
    });
    await expect(ask(open(), server.host)).rejects.toThrow('the registry refused it (400): no such thing');
    expect(server.seen).toHaveLength(1);
  });
});

/** A transport on which `registry.example` is the server at this port. */
function renamed(port: number, asked: string[]): HttpTransport {
  const inner = createTransport();
  stops.push(() => inner.close());
  return {
    send: async (request) => {
      asked.push(request.url.origin);
      const url = new URL(`${request.url.protocol}//127.0.0.1:${port}${request.url.pathname}`);
      const answer = await inner.send({ ...request, url });
      return { ...withBody(answer, await answer.bytes(1000)), url: request.url };
    },
    close: () => inner.close(),
  };
}

it('an insecure registry elsewhere is asked over HTTPS first, and over HTTP when it has no TLS', async () => {
  const server = await see(ok);
  const authenticator = fixedHeader('Bearer secret');
  const asked: string[] = [];
  const transport = renamed(server.port, asked);
  const name = { registry: 'registry.example', path: 'app' };
  const strict = openRegistries({ transport, authenticator });
  await expect(strict.send(name, manifestRequest())).rejects.toMatchObject({
    code: 'REGISTRY_TLS',
    hint: expect.stringContaining('--insecure'),
  });
  expect(asked.splice(0)).toEqual(['https://registry.example']);
  const config = withInsecure(emptyConfig, ['registry.example']);
  const lenient = openRegistries({ transport, authenticator, config });
  for (let round = 0; round < 2; round++) await lenient.send(name, manifestRequest());
  expect(asked).toEqual(['https://registry.example', 'http://registry.example', 'http://registry.example']);
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer secret']);
});

const missing = missingOpenssl();

describe.skipIf(missing !== undefined)(`with TLS${missing === undefined ? '' : ` (${missing})`}`, () => {
  let authority: TestAuthority;
  let pair: KeyPair;

  beforeAll(() => {
    authority = makeAuthority();
    pair = authority.sign('DNS:localhost,DNS:registry.example,IP:127.0.0.1');
  });

  afterAll(() => authority.remove());

  /** A TLS server that answers plain HTTP as `plain` does, on the same port. */
  async function bothSpeaking(plain: string, inner: LoopbackServer): Promise<LoopbackServer> {
    const server = await startRawServer((socket) => {
      socket.once('data', (first) => {
        // A TLS record of the handshake begins with 22.
        if (first[0] !== 22) return void socket.end(plain);
        const to = connect(inner.port, '127.0.0.1');
        to.on('error', () => socket.destroy());
        to.write(first);
        socket.pipe(to);
        to.pipe(socket);
        return undefined;
      });
    });
    stops.push(() => server.stop());
    return server;
  }

  const go = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';
  const nginx =
    'HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>';
  const alert = '\u0015\u0003\u0001\u0000\u0002\u0002\u0046';

  it.each([
    ['Go', go],
    ['nginx', nginx],
    ['OpenSSL', alert],
    ['one that only drops it', ''],
  ])('a registry on this machine is asked over HTTPS when its server (%s) says so', async (_name, plain) => {
    const inner = await see(ok, { tls: pair });
    const server = await bothSpeaking(plain, inner);
    const session = open({ tls: () => ({ ca: [authority.ca] }) });
    expect(await ask(session, server.host)).toBe('https:');
    expect(await ask(session, server.host)).toBe('https:');
    expect(inner.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer secret']);
  });

  it('a HEAD finds that out, too, although its answer has no text', async () => {
    const inner = await see(ok, { tls: pair });
    const server = await bothSpeaking(go, inner);
    const session = open({ tls: () => ({ ca: [authority.ca] }) });
    expect(await ask(session, server.host, 'HEAD')).toBe('https:');
    expect(inner.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /v2/app/manifests/1']);
  });

  it('a redirect to HTTPS of the same host is taken for good', async () => {
    const inner = await see(ok, { tls: pair });
    const server = await see((_request, response) => {
      response.writeHead(301, { location: `${inner.url.href}v2/app/manifests/1` });
      response.end();
    });
    const session = open({ tls: () => ({ ca: [authority.ca] }) });
    expect(await ask(session, server.host)).toBe('https:');
    expect(await ask(session, server.host)).toBe('https:');
    expect(server.seen).toHaveLength(1);
  });

  it('a certificate that is not trusted is what is reported', async () => {
    const inner = await see(ok, { tls: pair });
    const server = await bothSpeaking(go, inner);
    await expect(ask(open(), server.host)).rejects.toMatchObject({
      code: 'REGISTRY_TLS',
      message: expect.stringMatching(/^cannot read manifest 1 of 127.* not known here/),
      hint: expect.stringContaining('"ca"'),
    });
    expect(inner.seen).toEqual([]);
  });

  it('an insecure registry keeps TLS where there is any', async () => {
    const inner = await see(ok, { tls: pair });
    const server = await bothSpeaking(go, inner);
    const config = withInsecure(emptyConfig, [server.host]);
    expect(await ask(open({ config, tls: () => ({ insecure: true }) }), server.host)).toBe('https:');
  });
});

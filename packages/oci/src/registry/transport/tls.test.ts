import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HttpTransport } from './http.ts';
import { type KeyPair, makeAuthority, missingOpenssl, type TestAuthority } from './testing/certificates.ts';
import { type LoopbackOptions, type LoopbackServer, startRawServer, startServer } from './testing/loopback-server.ts';
import type { TlsSettings } from './tls-settings.ts';
import { createTransport, type TransportOptions } from './transport.ts';

const missing = missingOpenssl();

describe.skipIf(missing !== undefined)(`TLS${missing === undefined ? '' : ` (${missing})`}`, () => {
  let authority: TestAuthority;
  let stranger: TestAuthority;
  let pair: KeyPair;
  const stops: (() => Promise<void> | void)[] = [];

  beforeAll(() => {
    authority = makeAuthority();
    stranger = makeAuthority();
    pair = authority.sign('DNS:localhost,IP:127.0.0.1');
  });

  afterAll(() => {
    authority.remove();
    stranger.remove();
  });

  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  function transportWith(tls: TlsSettings | undefined, more: TransportOptions = {}): HttpTransport {
    const transport = createTransport({ ...(tls === undefined ? {} : { tls: () => tls }), ...more });
    stops.push(() => transport.close());
    return transport;
  }

  async function serve(tls: LoopbackOptions['tls'], name?: string): Promise<LoopbackServer> {
    const server = await startServer((_request, response) => void response.end('ok'), {
      ...(tls === undefined ? {} : { tls }),
      ...(name === undefined ? {} : { name }),
    });
    stops.push(() => server.stop());
    return server;
  }

  async function ask(transport: HttpTransport, { url }: LoopbackServer): Promise<string> {
    return (await (await transport.send({ method: 'GET', url })).bytes(10)).toString();
  }

  it.each(['localhost', '127.0.0.1'])('an authority of one’s own is trusted, at %s', async (name) => {
    const server = await serve(pair, name);
    const transport = transportWith({ ca: [authority.ca] });
    expect(await ask(transport, server)).toBe('ok');
    expect(await ask(transport, server)).toBe('ok');
    expect(server.connections()).toBe(1);
  });

  const tlsError = (text: string) => ({
    code: 'REGISTRY_TLS',
    message: expect.stringContaining(text),
    details: { transient: false, connected: false },
  });

  it('an unknown authority is refused, after those of the system were tried', async () => {
    const server = await serve(pair, 'localhost');
    await expect(ask(transportWith(undefined), server)).rejects.toMatchObject(tlsError('not known here'));
    await expect(ask(transportWith({ ca: [stranger.ca] }), server)).rejects.toMatchObject(tlsError('authority'));
    expect(server.requests).toEqual([]);
  });

  it('a certificate for another name is refused, with the names that it is for', async () => {
    const server = await serve(authority.sign('DNS:other.example'), 'localhost');
    const asked = ask(transportWith({ ca: [authority.ca] }), server);
    await expect(asked).rejects.toMatchObject(tlsError('other.example'));
  });

  it('a certificate of yesterday is refused', async () => {
    const server = await serve(authority.sign('DNS:localhost', { expired: true }), 'localhost');
    await expect(ask(transportWith({ ca: [authority.ca] }), server)).rejects.toMatchObject(tlsError('expired'));
  });

  it('nothing is checked where that is asked for', async () => {
    const server = await serve(stranger.sign('DNS:other.example', { expired: true }), 'localhost');
    expect(await ask(transportWith({ insecure: true }), server)).toBe('ok');
  });

  it('a client certificate is shown', async () => {
    const server = await serve({ ...pair, requestCert: true, rejectUnauthorized: true, ca: authority.ca }, 'localhost');
    const client = authority.sign('DNS:client', { client: true });
    expect(await ask(transportWith({ ca: [authority.ca], ...client }), server)).toBe('ok');
    await expect(ask(transportWith({ ca: [authority.ca] }), server)).rejects.toMatchObject({
      code: expect.stringMatching(/^REGISTRY_(?:TLS|CONNECTION)$/),
    });
  });

  it('a server without TLS is told apart', async () => {
    const server = await serve(undefined);
    const sent = transportWith(undefined).send({ method: 'GET', url: new URL(`https://${server.host}/`) });
    await expect(sent).rejects.toMatchObject({ ...tlsError('plain HTTP'), details: { plainHttp: true } });
  });

  it('a certificate file that is none is not taken for a fault of the network', async () => {
    const server = await serve(pair, 'localhost');
    const asked = ask(transportWith({ ca: [authority.ca], cert: Buffer.from('x'), key: pair.key }), server);
    await expect(asked).rejects.toMatchObject({ code: 'REGISTRY_CONFIG_INVALID' });
  });

  it('goes through a tunnel, to the name that was asked for', async () => {
    const named = await serve(authority.sign('DNS:registry.example'));
    const proxy = await startRawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const inner = connect(named.port, '127.0.0.1');
        inner.on('error', () => socket.destroy());
        inner.pipe(socket);
        socket.pipe(inner);
      });
    });
    stops.push(() => proxy.stop());
    const env = { HTTPS_PROXY: `http://${proxy.host}` };
    const url = new URL('https://registry.example/v2/');
    const transport = transportWith({ ca: [authority.ca] }, { env });
    for (let round = 0; round < 3; round++) {
      expect((await (await transport.send({ method: 'GET', url })).bytes(10)).toString()).toBe('ok');
    }
    expect(proxy.connections()).toBe(1);
    const other = transport.send({ method: 'GET', url: new URL('https://other.example/') });
    await expect(other).rejects.toMatchObject(tlsError('registry.example'));
  });
});

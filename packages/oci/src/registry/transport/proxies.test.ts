import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpTransport } from './http.ts';
import { describeProxy, proxiesFromEnvironment } from './proxies.ts';
import { type LoopbackServer, startRawServer, startServer } from './testing/loopback-server.ts';
import { createTransport } from './transport.ts';

describe('proxiesFromEnvironment', () => {
  const choose = (env: Record<string, string>, url: string): string | undefined => {
    const proxy = proxiesFromEnvironment(env)(new URL(url));
    return proxy === undefined ? undefined : describeProxy(proxy);
  };
  const both = { HTTP_PROXY: 'http://one:1', HTTPS_PROXY: 'http://two:2' };

  it.each<[Record<string, string>, string, string | undefined]>([
    [{}, 'http://a.example/', undefined],
    [both, 'http://a.example/', 'http://one:1'],
    [both, 'https://a.example/', 'http://two:2'],
    [{ http_proxy: 'three:3' }, 'http://a.example/', 'http://three:3'],
    [{ HTTP_PROXY: 'one:1', http_proxy: 'three:3' }, 'http://a.example/', 'http://one:1'],
    [{ HTTP_PROXY: '', http_proxy: 'three:3' }, 'http://a.example/', 'http://three:3'],
    [{ ...both, REQUEST_METHOD: 'GET' }, 'http://a.example/', undefined],
    [both, 'http://localhost:5000/', undefined],
    [both, 'http://127.0.0.1/', undefined],
    [both, 'http://[::1]/', undefined],
    [both, 'http://192.168.0.1/', 'http://one:1'],
  ])('%j %s', (env, url, expected) => {
    expect(choose(env, url)).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['*', 'http://a.example/', true],
    ['a.example', 'http://a.example/', true],
    ['a.example', 'http://A.example.:5000/', true],
    ['a.example', 'http://b.a.example/', true],
    ['a.example', 'http://ba.example/', false],
    ['.a.example', 'http://a.example/', false],
    ['.a.example', 'http://b.a.example/', true],
    ['*.a.example', 'http://b.a.example/', true],
    ['a.example:5000', 'http://a.example:5000/', true],
    ['a.example:5000', 'http://a.example/', false],
    ['a.example:80', 'http://a.example/', true],
    ['10.0.0.0/8', 'http://10.9.8.7/', true],
    ['10.0.0.0/8', 'http://11.0.0.1/', false],
    ['10.0.0.0/8', 'http://a.example/', false],
    ['10.1.1.1', 'http://10.1.1.1:5000/', true],
    ['fd00::/8', 'http://[fd12::1]/', true],
    ['fd00::1', 'http://[fd00:0::1]/', true],
    ['b.example, a.example', 'http://a.example/', true],
    ['10.0.0.0/8/9,nonsense/x', 'http://10.0.0.1/', false],
  ])('NO_PROXY=%s %s: %s', (value, url, isExempt) => {
    expect(choose({ ...both, NO_PROXY: value }, url) === undefined).toBe(isExempt);
    expect(choose({ ...both, no_proxy: value }, url) === undefined).toBe(isExempt);
  });

  it.each(['socks5://me:secret@host:1', 'http://', 'http://me:secret@:1'])('refuses %s without showing it', (value) => {
    const choice = proxiesFromEnvironment({ HTTPS_PROXY: value });
    expect(() => choice(new URL('https://a.example/'))).toThrow(
      expect.objectContaining({
        code: 'REGISTRY_CONFIG_INVALID',
        message: expect.not.stringContaining('secret'),
        details: { variable: 'HTTPS_PROXY' },
      }),
    );
  });
});

describe('proxies', () => {
  const stops: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  function through(proxy: string): HttpTransport {
    const transport = createTransport({
      env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
      timeouts: { connect: 300 },
    });
    stops.push(() => transport.close());
    return transport;
  }

  /** A proxy that answers CONNECT with `answer`, and pipes to `port` when that is 200. */
  async function tunnelProxy(answer: string, port = 0): Promise<LoopbackServer & { heads: string[] }> {
    const heads: string[] = [];
    const server = await startRawServer((socket: Socket) => {
      socket.once('data', (head) => {
        heads.push(head.toString());
        if (answer === '') return;
        socket.write(answer);
        if (!answer.includes(' 200 ')) return;
        const inner = connect(port, '127.0.0.1');
        inner.on('error', () => socket.destroy());
        inner.pipe(socket);
        socket.pipe(inner);
      });
    });
    stops.push(() => server.stop());
    return Object.assign(server, { heads });
  }

  it('forward plain requests, with the whole URL and the credentials of the proxy', async () => {
    const proxy = await startServer((request, response) => {
      response.end(`${request.url} ${request.headers.host} ${request.headers['proxy-authorization']}`);
    });
    stops.push(() => proxy.stop());
    const transport = through(`http://me:p%40ss@${proxy.host}`);
    const answer = await transport.send({ method: 'GET', url: new URL('http://registry.example:5000/v2/?a=b') });
    const basic = Buffer.from('me:p@ss').toString('base64');
    expect((await answer.bytes(1000)).toString()).toBe(
      `http://registry.example:5000/v2/?a=b registry.example:5000 Basic ${basic}`,
    );
  });

  it('that ask for a login say what to set, and nobody says the password', async () => {
    const proxy = await tunnelProxy('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    const transport = through(`http://me:secret@${proxy.host}`);
    const sent = transport.send({ method: 'GET', url: new URL('https://registry.example/v2/') });
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      message: `no connection to registry.example through the proxy http://${proxy.host}: the proxy answered 407`,
      hint: expect.stringContaining('HTTPS_PROXY'),
      details: { transient: false, connected: false },
    });
    expect(proxy.heads[0]).toMatch(/^CONNECT registry\.example:443 HTTP\/1\.1\r\n/);
    expect(proxy.heads[0]).toContain(`Basic ${Buffer.from('me:secret').toString('base64')}`);
  });

  it.each([
    ['do not answer', '', 'longer than 0.3 s'],
    ['have a fault', 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n', 'answered 502'],
    ['speak before their turn', 'HTTP/1.1 200 OK\r\n\r\ninjected', 'answered 200'],
  ])('that %s are a connection that failed', async (_name, answer, text) => {
    const proxy = await tunnelProxy(answer);
    const sent = through(`http://${proxy.host}`).send({ method: 'GET', url: new URL('https://registry.example/') });
    await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION', message: expect.stringContaining(text) });
  });

  it('that are not there are named', async () => {
    const proxy = await startServer(() => undefined);
    await proxy.stop();
    for (const scheme of ['http', 'https']) {
      const sent = through(`http://${proxy.host}`).send({
        method: 'GET',
        url: new URL(`${scheme}://registry.example/`),
      });
      await expect(sent).rejects.toMatchObject({
        code: 'REGISTRY_CONNECTION',
        message: `no connection to registry.example through the proxy http://${proxy.host}: connection refused`,
      });
    }
  });
});

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from './http.ts';
import { readRequest, startServer } from './testing/loopback-server.ts';
import { pieces, transportBench } from './testing/transport-bench.ts';

const { serve, serveRaw, transportWith } = transportBench();

describe('requests and answers', () => {
  it('sends what it is given, and gives what comes back', async () => {
    const server = await serve(async (request, response) => {
      const body = await readRequest(request);
      response.writeHead(201, [
        ['Docker-Content-Digest', 'sha256:1'],
        ['Link', '<a>; rel="next"'],
        ['link', '<b>; rel="last"'],
      ]);
      response.end(JSON.stringify({ url: request.url, body: body.toString(), headers: request.headers }));
    });
    const transport = transportWith({ userAgent: 'test/1' });
    const url = new URL('/v2/a?x=%2F', server.url);
    const answer = await transport.send({ method: 'PUT', url, body: Buffer.from('abc'), headers: { 'x-own': 'y' } });
    expect(answer.status).toBe(201);
    expect(answer.url).toEqual(url);
    expect(answer.header('docker-content-digest')).toBe('sha256:1');
    expect(answer.header('nothing')).toBeUndefined();
    expect(answer.headers('link')).toEqual(['<a>; rel="next"', '<b>; rel="last"']);
    const told: unknown = JSON.parse((await answer.bytes(10_000)).toString());
    expect(told).toMatchObject({
      url: '/v2/a?x=%2F',
      body: 'abc',
      headers: { 'content-length': '3', 'x-own': 'y', 'user-agent': 'test/1', host: server.host },
    });
  });

  it('uses one connection for requests after each other, also after discarding and HEAD', async () => {
    const server = await serve((request, response) => {
      request.resume();
      response.setHeader('content-length', 5);
      response.end(request.method === 'HEAD' ? undefined : 'hello');
    });
    const transport = transportWith();
    const send = (method: HttpRequest['method']) => transport.send({ method, url: server.url });
    await (await send('GET')).bytes(10);
    await (await send('GET')).discard();
    await send('HEAD');
    await sleep(20);
    expect((await (await send('HEAD')).bytes(0)).length).toBe(0);
    await (await send('POST')).bytes(10);
    expect(server.requests).toHaveLength(5);
    expect(server.connections()).toBe(1);
  });

  it('sends streams with their size, or in chunks when it is not known', async () => {
    const server = await serve(async (request, response) => {
      const { length } = await readRequest(request);
      response.end(`${length} ${request.headers['content-length']} ${request.headers['transfer-encoding']}`);
    });
    const transport = transportWith();
    const send = async (more: Partial<HttpRequest>) => {
      const answer = await transport.send({ method: 'PUT', url: server.url, body: pieces(3, 1_000_000), ...more });
      return (await answer.bytes(100)).toString();
    };
    expect(await send({ bodySize: 3_000_000 })).toBe('3000000 3000000 undefined');
    expect(await send({})).toBe('3000000 undefined chunked');
  });

  it.each([2_999_999, 3_000_001])('refuses a stream of 3000000 bytes that was announced with %i', async (bodySize) => {
    const server = await serve(async (request, response) => {
      await readRequest(request);
      response.end();
    });
    const sent = transportWith().send({ method: 'PUT', url: server.url, body: pieces(3, 1_000_000), bodySize });
    await expect(sent).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('asks for the next piece only when the last one was taken, so that buffers can be used again', async () => {
    const server = await serve(async (request, response) => {
      const body = await readRequest(request);
      response.end(`${body.every((byte, index) => byte === Math.floor(index / 300_000) % 256)}`);
    });
    const buffer = Buffer.alloc(300_000);
    async function* reused(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 40; index++) {
        buffer.fill(index);
        yield buffer;
        buffer.fill(255);
      }
    }
    const answer = await transportWith().send({ method: 'PUT', url: server.url, body: reused() });
    expect((await answer.bytes(10)).toString()).toBe('true');
  });

  it('passes on what the source of a body throws', async () => {
    const server = await serve((request) => void request.resume());
    const fault = Object.assign(new Error('disk'), { code: 'EIO' });
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10);
      throw fault;
    }
    const sent = transportWith().send({ method: 'PUT', url: server.url, body: failing(), bodySize: 100 });
    await expect(sent).rejects.toBe(fault);
  });
});

describe('an answer in the middle of a body', () => {
  const refusal = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\nWWW-Authenticate: Basic\r\n\r\nlogin';

  it.each([
    ['keeps reading', () => undefined],
    ['closes', (socket: Socket) => void socket.end()],
    ['drops the connection a moment later', (socket: Socket) => void setTimeout(() => socket.destroy(), 5)],
  ])('is an answer when the server %s', async (_name, after) => {
    for (let round = 0; round < 10; round++) {
      const server = await serveRaw((socket) => {
        socket.once('data', () => {
          socket.pause();
          socket.write(refusal, () => after(socket));
        });
      });
      let isEnded = false;
      async function* body(): AsyncGenerator<Uint8Array> {
        try {
          yield* pieces(1000, 100_000);
        } finally {
          isEnded = true;
        }
      }
      const answer = await transportWith().send({ method: 'PUT', url: server.url, body: body(), bodySize: 1e8 });
      expect(answer.status).toBe(401);
      expect((await answer.bytes(100)).toString()).toBe('login');
      await expect.poll(() => isEnded).toBe(true);
    }
  });

  it('is an answer when the server drops the connection at once and the source never waits', async () => {
    const server = await serveRaw((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write(refusal, () => socket.destroy());
      });
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 1000; index++) yield Buffer.alloc(100_000);
    }
    const transport = transportWith();
    for (let round = 0; round < 20; round++) {
      const answer = await transport.send({ method: 'PUT', url: server.url, body: body(), bodySize: 1e8 });
      expect((await answer.bytes(100)).toString()).toBe('login');
    }
  });

  it('is not taken for success before the whole body is sent', async () => {
    let received = 0;
    const server = await serve((request, response) => {
      response.writeHead(201);
      response.end();
      request.on('data', (piece: Buffer) => {
        received += piece.length;
      });
    });
    await transportWith().send({ method: 'PUT', url: server.url, body: pieces(50, 100_000), bodySize: 5_000_000 });
    await expect.poll(() => received).toBe(5_000_000);
  });
});

describe('faults', () => {
  it('says that a host is not known', async () => {
    const sent = transportWith().send({ method: 'GET', url: new URL('http://registry.invalid/') });
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_HOST_UNKNOWN',
      message: expect.stringContaining('registry.invalid'),
    });
  });

  it('says that a connection is refused, and that nothing was sent', async () => {
    const server = await startServer(() => undefined);
    await server.stop();
    const sent = transportWith().send({ method: 'PUT', url: server.url, body: pieces(1, 1), bodySize: 1 });
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      message: `no connection to ${server.host}: connection refused`,
      details: { connected: false, sent: false, transient: true },
    });
  });

  it('notices a body that is cut off', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000_000 });
      response.write(Buffer.alloc(300_000), () => setTimeout(() => response.socket?.destroy(), 20));
    });
    const answer = await transportWith().send({ method: 'GET', url: server.url });
    let received = 0;
    const reading = (async () => {
      for await (const piece of answer.body) received += piece.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION', details: { transient: true } });
    expect(received).toBe(300_000);
  });

  it('notices a chunked body that is cut off', async () => {
    const server = await serveRaw((socket) => {
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    });
    const answer = await transportWith().send({ method: 'GET', url: server.url });
    await expect(answer.bytes(100)).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION' });
  });

  it('notices that an upload is cut off', async () => {
    const server = await serve((request) => {
      request.once('data', () => request.socket.destroy());
    });
    const sent = transportWith().send({
      method: 'PUT',
      url: server.url,
      body: pieces(50, 100_000),
      bodySize: 5_000_000,
    });
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      details: { connected: true, sent: true, transient: true },
    });
  });

  it('sends again at once when the server has closed an idle connection meanwhile', async () => {
    let isFirst = true;
    const server = await serveRaw((socket) => {
      let requests = 0;
      const mayDrop = isFirst;
      isFirst = false;
      socket.on('data', () => {
        // As a server does that closes just when the request is on its way.
        if (mayDrop && ++requests === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const transport = transportWith();
    for (let round = 0; round < 3; round++) {
      const answer = await transport.send({ method: 'PUT', url: server.url, body: Buffer.from('x') });
      expect((await answer.bytes(10)).toString()).toBe('ok');
    }
    expect(server.connections()).toBe(2);
  });

  it('refuses headers that would end the line', async () => {
    const server = await serve((_request, response) => void response.end());
    const sent = transportWith().send({
      method: 'GET',
      url: server.url,
      headers: { authorization: 'Bearer a\r\nx: secret' },
    });
    await expect(sent).rejects.toMatchObject({ message: expect.not.stringContaining('secret') });
    expect(server.requests).toEqual([]);
  });

  it('does not take what is no HTTP', async () => {
    const server = await serveRaw((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const sent = transportWith().send({ method: 'GET', url: server.url });
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      message: expect.stringContaining('not HTTP'),
    });
  });
});

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpRequest, HttpTransport } from './http.ts';
import {
  type Handler,
  type LoopbackServer,
  readRequest,
  startRawServer,
  startServer,
} from './testing/loopback-server.ts';
import { createTransport, type TransportOptions } from './transport.ts';

const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function transportWith(options: TransportOptions = {}): HttpTransport {
  const transport = createTransport(options);
  stops.push(() => transport.close());
  return transport;
}

async function serve(handler: Handler): Promise<LoopbackServer> {
  const server = await startServer(handler);
  stops.push(() => server.stop());
  return server;
}

async function serveRaw(onConnection: Parameters<typeof startRawServer>[0]): Promise<LoopbackServer> {
  const server = await startRawServer(onConnection);
  stops.push(() => server.stop());
  return server;
}

async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) {
    await sleep(0);
    yield Buffer.alloc(size, index);
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const piece of body) size += piece.length;
  return size;
}

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

describe('threats', () => {
  it('R3: does not read an answer beyond its limit', async () => {
    const server = await serve((_request, response) => {
      const write = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', write);
      };
      write();
    });
    const answer = await transportWith().send({ method: 'GET', url: server.url });
    await expect(answer.bytes(1_000_000)).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
    const other = await transportWith().send({ method: 'GET', url: server.url });
    await other.discard();
    await expect.poll(() => server.requests.length).toBe(2);
  });

  it('R3: does not read headers without end', async () => {
    const server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const write = (): void => {
        while (!socket.destroyed && socket.write(`x-more: ${'y'.repeat(1000)}\r\n`));
        socket.once('drain', write);
      };
      write();
    });
    const sent = transportWith().send({ method: 'GET', url: server.url });
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      message: expect.stringContaining('too large'),
    });
  });

  it('R4: asks for bytes as they are, and does not undo a coding that comes all the same', async () => {
    const coded = gzipSync(Buffer.alloc(1_000_000));
    const server = await serve((request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.setHeader('x-asked', `${request.headers['accept-encoding']}`);
      response.end(coded);
    });
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await transportWith().send({ method: 'GET', url: server.url, headers });
    expect(answer.header('x-asked')).toBe('identity');
    expect(await answer.bytes(10_000)).toEqual(coded);
  });

  const timeouts = { connect: 150, answer: 150, commit: 300, idle: 150 };
  const silence = (code: string, text: string) =>
    expect.objectContaining({
      code,
      message: expect.stringContaining(text),
      details: expect.objectContaining({ transient: true }),
    });

  it('R5: no connection in time', async () => {
    const server = await serveRaw(() => undefined);
    const url = new URL(`https://${server.host}/`);
    const sent = transportWith({ timeouts }).send({ method: 'GET', url });
    await expect(sent).rejects.toEqual(silence('REGISTRY_CONNECTION', 'no connection'));
  });

  it('R5: no first byte in time; commits may take longer', async () => {
    const server = await serve((request) => void request.resume());
    const transport = transportWith({ timeouts });
    const timed = async (request: Partial<HttpRequest>) => {
      const start = performance.now();
      const sent = transport.send({ method: 'GET', url: server.url, ...request });
      await expect(sent).rejects.toEqual(silence('REGISTRY_CONNECTION', 'no answer'));
      return performance.now() - start;
    };
    expect(await timed({})).toBeLessThan(290);
    expect(await timed({ method: 'PUT', body: Buffer.from('x') })).toBeGreaterThan(290);
    expect(await timed({ method: 'PUT', body: pieces(1, 1), bodySize: 1, answerTimeoutMs: 50 })).toBeLessThan(290);
  });

  it('R5: silence in the middle of an answer', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('x');
    });
    const answer = await transportWith({ timeouts }).send({ method: 'GET', url: server.url });
    await expect(answer.bytes(100)).rejects.toEqual(silence('REGISTRY_CONNECTION', 'no byte'));
  });

  it('R5: a server that takes no more of a body', async () => {
    const server = await serveRaw((socket) => void socket.pause());
    const body = pieces(1000, 100_000);
    const sent = transportWith({ timeouts }).send({ method: 'PUT', url: server.url, body, bodySize: 1e8 });
    await expect(sent).rejects.toEqual(silence('REGISTRY_CONNECTION', 'nothing of the body was taken'));
  });

  it('R5: progress resets the clock, and a reader who takes its time is none of its business', async () => {
    const server = await serve(async (_request, response) => {
      response.writeHead(200, { 'content-length': 8 });
      for (let index = 0; index < 8; index++) {
        await sleep(60);
        response.write('x');
      }
      response.end();
    });
    const answer = await transportWith({ timeouts }).send({ method: 'GET', url: server.url });
    await sleep(250);
    expect(await drain(answer.body)).toBe(8);
  });
});

describe('an abort', () => {
  it.each(['before', 'while connecting', 'while waiting', 'in the middle of the answer'])(
    '%s ends it with the reason',
    async (when) => {
      const server = await serve((_request, response) => {
        if (when !== 'in the middle of the answer') return;
        response.writeHead(200, { 'content-length': 100 });
        response.write('x');
      });
      const controller = new AbortController();
      const reason = new Error('enough');
      if (when === 'before') controller.abort(reason);
      const transport = transportWith();
      const exchange = (async () => {
        const answer = await transport.send({ method: 'GET', url: server.url, signal: controller.signal });
        await answer.bytes(100);
      })();
      if (when === 'while connecting') controller.abort(reason);
      else setTimeout(() => controller.abort(reason), 50);
      await expect(exchange).rejects.toBe(reason);
    },
  );

  it('ends the source of a body', async () => {
    const server = await serve((request) => void request.resume());
    const controller = new AbortController();
    let isEnded = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield* pieces(10, 100);
      } finally {
        isEnded = true;
      }
    }
    const { signal } = controller;
    const sent = transportWith().send({ method: 'PUT', url: server.url, body: endless(), signal });
    setTimeout(() => controller.abort(new Error('enough')), 30);
    await expect(sent).rejects.toThrow('enough');
    await expect.poll(() => isEnded).toBe(true);
  });
});

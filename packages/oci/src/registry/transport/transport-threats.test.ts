import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from './http.ts';
import { pieces, transportBench } from './testing/transport-bench.ts';

const { serve, serveRaw, transportWith } = transportBench();

async function drain(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const piece of body) size += piece.length;
  return size;
}

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

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HttpResponse, HttpTransport } from './http.ts';
import { makeAuthority, missingOpenssl, type TestAuthority } from './testing/certificates.ts';
import { type Handler, type LoopbackServer, startRawServer, startServer } from './testing/loopback-server.ts';
import { createTransport, type TransportOptions } from './transport.ts';

const SIZE = 24 * 1024 * 1024 + 12_345;
const content = Buffer.alloc(SIZE, 'every line is different: 0123456789\n');
for (let index = 0; index < SIZE; index += 4096) content.writeUInt32LE(index, Math.min(index, SIZE - 4));
const digest = createHash('sha256').update(content).digest('hex');

const missing = missingOpenssl();
let authority: TestAuthority | undefined;
const stops: (() => Promise<void> | void)[] = [];

beforeAll(() => {
  if (missing === undefined) authority = makeAuthority();
});

afterAll(() => {
  authority?.remove();
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(handler: Handler, isSecure = false): Promise<LoopbackServer> {
  const pair = isSecure ? authority?.sign('DNS:localhost') : undefined;
  const server = await startServer(handler, pair === undefined ? {} : { tls: pair, name: 'localhost' });
  stops.push(() => server.stop());
  return server;
}

function transportWith(options: TransportOptions = {}): HttpTransport {
  const ca = authority === undefined ? [] : [authority.ca];
  const transport = createTransport({ tls: () => ({ ca }), ...options });
  stops.push(() => transport.close());
  return transport;
}

/** Sends everything in parts of all sizes. */
async function sendAll(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-length': SIZE });
  let at = 0;
  for (let part = 1; at < SIZE; part = (part * 7) % 300_007) {
    const piece = content.subarray(at, at + part + 1000);
    at += piece.length;
    if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end();
}

async function digestOf(answer: HttpResponse, everyPiece?: (count: number) => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const piece of answer.body) {
    // A piece is valid until the next one is asked for: also across a pause.
    await everyPiece?.(++count);
    hash.update(piece);
  }
  return hash.digest('hex');
}

// tls.test.ts says so when there is no openssl.
describe.each(
  missing === undefined
    ? ([
        ['HTTP', false],
        ['TLS', true],
      ] as const)
    : ([['HTTP', false]] as const),
)('a large body over %s', (_name, isSecure) => {
  it('comes whole, and the transport goes on', async () => {
    const server = await serve((_request, response) => sendAll(response), isSecure);
    const transport = transportWith();
    for (let round = 0; round < 3; round++) {
      expect(await digestOf(await transport.send({ method: 'GET', url: server.url }))).toBe(digest);
    }
    // Each had a connection of its own: the parser was left behind.
    expect(server.connections()).toBe(3);
    const both = await Promise.all([1, 2].map(() => transport.send({ method: 'GET', url: server.url })));
    expect(await Promise.all(both.map((answer) => digestOf(answer)))).toEqual([digest, digest]);
  });

  it('waits for a reader who takes its time', async () => {
    const server = await serve((_request, response) => sendAll(response), isSecure);
    const answer = await transportWith().send({ method: 'GET', url: server.url });
    const slow = async (count: number): Promise<void> => (count % 10 === 0 ? sleep(5) : undefined);
    expect(await digestOf(answer, slow)).toBe(digest);
  });

  it('can be sent on to another place while it comes', async () => {
    const hash = createHash('sha256');
    const server = await serve(async (request, response) => {
      if (request.method === 'GET') return sendAll(response);
      for await (const piece of request) hash.update(piece as Buffer); // without an encoding, pieces are bytes
      response.end();
      return undefined;
    }, isSecure);
    const transport = transportWith();
    const from = await transport.send({ method: 'GET', url: server.url });
    const to = await transport.send({ method: 'PUT', url: server.url, body: from.body, bodySize: SIZE });
    await to.discard();
    expect(hash.digest('hex')).toBe(digest);
  });

  it('that is cut off gives what has come, and then says so', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': SIZE });
      response.write(content.subarray(0, 20_000_000), () => setTimeout(() => response.socket?.destroy(), 100));
    }, isSecure);
    const answer = await transportWith().send({ method: 'GET', url: server.url });
    let received = 0;
    const reading = (async () => {
      for await (const piece of answer.body) received += piece.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION', details: { transient: true } });
    expect(received).toBe(20_000_000);
  });

  it('R5: that stalls is given up', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': SIZE });
      response.write(content.subarray(0, 5_000_000));
    }, isSecure);
    const transport = transportWith({ timeouts: { idle: 200 } });
    const answer = await transport.send({ method: 'GET', url: server.url });
    await expect(digestOf(answer)).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      message: expect.stringContaining('no byte of the answer after the first 5000000 for 0.2 s'),
    });
  });

  it('ends at once when it is told to', async () => {
    const server = await serve((_request, response) => sendAll(response), isSecure);
    const controller = new AbortController();
    const { signal } = controller;
    const answer = await transportWith().send({ method: 'GET', url: server.url, signal });
    const reason = new Error('enough');
    const stop = async (count: number): Promise<void> => (count === 3 ? controller.abort(reason) : undefined);
    await expect(digestOf(answer, stop)).rejects.toBe(reason);
  });

  it('that nobody wants any more drops its connection', async () => {
    let isClosed = false;
    const server = await serve((request, response) => {
      request.socket.on('close', () => {
        isClosed = true;
      });
      return sendAll(response);
    }, isSecure);
    const transport = transportWith();
    for await (const piece of (await transport.send({ method: 'GET', url: server.url })).body) {
      if (piece.length > 0) break;
    }
    await expect.poll(() => isClosed).toBe(true);
    isClosed = false;
    await (await transport.send({ method: 'GET', url: server.url })).discard();
    await expect.poll(() => isClosed).toBe(true);
  });
});

it('a large body does not bring more than was announced', async () => {
  const server = await startRawServer((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      socket.write(content);
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad');
    });
  });
  stops.push(() => server.stop());
  const transport = transportWith();
  for (let round = 0; round < 2; round++) {
    expect(await digestOf(await transport.send({ method: 'GET', url: server.url }))).toBe(digest);
  }
});

it('a large body can be had as a whole', async () => {
  const server = await serve((_request, response) => sendAll(response));
  const answer = await transportWith().send({ method: 'GET', url: server.url });
  expect(
    createHash('sha256')
      .update(await answer.bytes(SIZE))
      .digest('hex'),
  ).toBe(digest);
});

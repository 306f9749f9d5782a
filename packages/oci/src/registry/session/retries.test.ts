import { afterEach, describe, expect, it } from 'vitest';
import type { HttpResponse } from '../transport/http.ts';
import { defaultRetryTiming, retryAfter, retryDelay } from './retry-delay.ts';
import { manifestRequest, openSession, type SessionOptions, startSeeing, type TestSession } from './testing/session.ts';

const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function open(options: SessionOptions = {}): TestSession {
  const session = openSession(options);
  stops.push(() => session.stop());
  return session;
}

/** A server that fails so many times, in this way, and works then. */
async function failing(
  times: number,
  fail: Parameters<typeof startSeeing>[0],
): Promise<Awaited<ReturnType<typeof startSeeing>>> {
  let left = times;
  const server = await startSeeing((request, response, incoming) => {
    incoming.resume();
    if (request.url === '/v2/') return void response.end('{}');
    if (left-- > 0) return fail(request, response, incoming);
    response.end('fine');
    return undefined;
  });
  stops.push(() => server.stop());
  return server;
}

const statusOf =
  (status: number, headers: Record<string, string> = {}): Parameters<typeof startSeeing>[0] =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end();
  };

const drop: Parameters<typeof startSeeing>[0] = (_request, _response, incoming) => void incoming.socket.destroy();

describe('R6: what is tried again', () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 522])('status %i', async (status) => {
    const server = await failing(2, statusOf(status));
    const { registries, events } = open();
    const response = await registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    expect((await response.bytes(10)).toString()).toBe('fine');
    expect(events).toMatchObject([
      { kind: 'retry', registry: server.host, what: 'manifest 1', tries: 1, why: expect.stringContaining(`${status}`) },
      { kind: 'retry', tries: 2 },
    ]);
  });

  it('a connection that is lost', async () => {
    const server = await failing(2, drop);
    const { registries } = open();
    await registries.ping(server.host);
    const response = await registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    expect((await response.bytes(10)).toString()).toBe('fine');
  });

  it('the first request, too, although nobody knows yet whether it is TLS', async () => {
    const server = await failing(2, drop);
    const response = await open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    expect((await response.bytes(10)).toString()).toBe('fine');
  });

  it.each([400, 404, 405, 409, 413, 416, 501])('status %i is not', async (status) => {
    const server = await failing(9, statusOf(status));
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({ details: { status, transient: false } });
    expect(server.seen).toHaveLength(1);
  });

  it('ends after 6 tries, and says so', async () => {
    const server = await failing(99, statusOf(503));
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: `cannot read manifest 1 of ${server.host}/app: the registry has a fault (503) (tried 6 times)`,
      details: { tries: 6 },
    });
    expect(server.seen).toHaveLength(6);
  });

  it('a write is tried again only when the registry has surely not acted, or when it is safe', async () => {
    const write = { method: 'POST', body: Buffer.from('x') } as const;
    for (const [fail, more, tries] of [
      [statusOf(503), {}, 1],
      [drop, {}, 1],
      [statusOf(429), {}, 3],
      [statusOf(503), { retry: 'safe' }, 3],
      [drop, { retry: 'safe' }, 3],
    ] as const) {
      const server = await failing(2, fail);
      const { registries } = open();
      await registries.ping(server.host);
      const sent = registries.send({ registry: server.host, path: 'app' }, manifestRequest({ ...write, ...more }));
      if (tries === 1) await expect(sent).rejects.toMatchObject({ details: { transient: true } });
      else expect((await (await sent).bytes(10)).toString()).toBe('fine');
      expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(tries);
    }
  });

  it('a stream is made anew for each try', async () => {
    const server = await failing(2, statusOf(500));
    let made = 0;
    async function* stream(): AsyncGenerator<Uint8Array> {
      made++;
      yield Buffer.from('abc');
    }
    const request = manifestRequest({ method: 'PUT', body: stream, bodySize: 3, retry: 'safe' });
    await (await open().registries.send({ registry: server.host, path: 'app' }, request)).discard();
    expect(made).toBe(3);
  });

  it('waits as long as the registry asks for, and says so', async () => {
    const server = await failing(1, statusOf(429, { 'retry-after': '1' }));
    const { registries, events } = open({ timing: { maxAskedMs: 50 } });
    await (await registries.send({ registry: server.host, path: 'app' }, manifestRequest())).discard();
    expect(events).toMatchObject([{ kind: 'retry', waitMs: 50 }]);
  });

  it('a quota that is used up for hours is not waited for', async () => {
    const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' };
    const server = await failing(9, statusOf(429, headers));
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_RATE_LIMITED',
      hint: expect.stringContaining('boxwright login'),
    });
    expect(server.seen).toHaveLength(1);
  });

  it.each(['request', 'session'])('an abort of the %s ends the waiting', async (which) => {
    const server = await failing(9, statusOf(503));
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    const { registries } = open({
      timing: { firstMs: 60_000, maxMs: 60_000 },
      ...(which === 'session' ? { signal } : {}),
    });
    const request = manifestRequest(which === 'request' ? { signal } : {});
    const sent = registries.send({ registry: server.host, path: 'app' }, request);
    setTimeout(() => controller.abort(reason), 100);
    await expect(sent).rejects.toBe(reason);
  });

  it('isTransient and pause serve those who try again on their own', async () => {
    const server = await failing(9, statusOf(503, { 'retry-after': '0' }));
    const { registries, events } = open({ timing: { tries: 1 } });
    const error: unknown = await registries
      .send({ registry: server.host, path: 'app' }, manifestRequest())
      .catch((thrown: unknown) => thrown);
    expect(registries.isTransient(error)).toBe(true);
    expect(registries.isTransient(new Error('other'))).toBe(false);
    await registries.pause(2, error);
    expect(events).toMatchObject([{ kind: 'retry', registry: server.host, what: 'manifest 1', tries: 2, waitMs: 0 }]);
  });
});

describe('retryDelay', () => {
  it.each<[tries: number, asked: number | undefined, random: number, expected: number]>([
    [1, undefined, 0, 250],
    [1, undefined, 1, 500],
    [3, undefined, 1, 2000],
    [9, undefined, 1, 30_000],
    [99, undefined, 0, 15_000],
    [1, 7000, 0, 7000],
    [1, 7000, 1, 7700],
    [1, 3_600_000, 1, 120_000],
    [1, 0, 1, 0],
  ])('try %i, asked for %s, random %d: %i ms', (tries, asked, random, expected) => {
    expect(retryDelay(defaultRetryTiming, tries, asked, random)).toBe(expected);
  });
});

describe('retryAfter', () => {
  const now = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT');

  it.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after': ' 0 ' }, 0],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT' }, 10_000],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:00:00 GMT' }, 0],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT', date: 'Sun, 06 Nov 1994 08:49:17 GMT' }, 30_000],
    [{ 'retry-after': '1.5' }, undefined],
    [{ 'retry-after': '-1' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': 'Someday, maybe' }, undefined],
  ])('%j', (headers, expected) => {
    const all = new Map(Object.entries(headers));
    // Only headers are looked at.
    const response = { header: (name: string) => all.get(name) } as HttpResponse;
    expect(retryAfter(response, now)).toBe(expected);
  });
});

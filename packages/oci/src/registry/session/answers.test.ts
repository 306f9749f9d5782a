import { afterEach, describe, expect, it } from 'vitest';
import type { Authenticator } from '../auth/authenticator.ts';
import { parseErrorBody } from './error-body.ts';
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

async function answering(
  status: number,
  body = '',
  headers: Record<string, string | string[]> = {},
): ReturnType<typeof startSeeing> {
  const server = await startSeeing((_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  });
  stops.push(() => server.stop());
  return server;
}

function open(options: SessionOptions = {}): TestSession {
  const session = openSession(options);
  stops.push(() => session.stop());
  return session;
}

const unknown = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"1"}}]}';

describe('errors', () => {
  it.each([
    [
      401,
      'REGISTRY_UNAUTHORIZED',
      'the registry wants a login (401)',
      /Used: no credentials\. Log in with: boxwright login/,
    ],
    [403, 'REGISTRY_DENIED', 'the registry does not allow it (403)', /log in as another user/],
    [404, 'REGISTRY_NOT_FOUND', 'it is not there (404)', /boxwright tags/],
    [405, 'REGISTRY_REFUSED', 'the registry refused it (405)', /cannot do that/],
    [413, 'REGISTRY_REFUSED', 'the registry refused it (413)', /larger/],
    [418, 'REGISTRY_REFUSED', 'the registry refused it (418)', undefined],
    [204, 'REGISTRY_ANSWER_INVALID', 'a status that has no meaning here (204)', undefined],
  ])('%i is %s', async (status, code, text, hint) => {
    const server = await answering(status);
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    const error: unknown = await sent.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(text),
      details: { registry: server.host, repository: 'app', what: 'manifest 1', status },
    });
    expect(error).toHaveProperty('hint', hint === undefined ? undefined : expect.stringMatching(hint));
  });

  it('say in one sentence what was asked, where, and what the registry says', async () => {
    const server = await answering(404, unknown, { 'content-type': 'application/json' });
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({
      message: `cannot read manifest 1 of ${server.host}/app: it is not there (404): MANIFEST_UNKNOWN: manifest unknown`,
      details: { codes: ['MANIFEST_UNKNOWN'] },
    });
    const write = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest({ method: 'PUT' }));
    await expect(write).rejects.toThrow(/^cannot write manifest 1 of /);
  });

  it('name the repository when it is that which is missing', async () => {
    const server = await answering(404, '{"errors":[{"code":"NAME_UNKNOWN"}]}');
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toThrow('there is no such repository (404): NAME_UNKNOWN');
    // What could be listed is what is missing.
    await expect(sent).rejects.toMatchObject({ hint: expect.not.stringContaining('boxwright tags') });
  });

  it('a name that cannot be a host is refused before anything is sent', async () => {
    for (const registry of ['a b', 'a/b', '', 'me@host', 'host?x']) {
      const sent = open().registries.send({ registry, path: 'app' }, manifestRequest());
      await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_HOST_UNKNOWN' });
    }
  });

  it('ping tells a registry from another server', async () => {
    const registry = await answering(200, '{}', { 'content-type': 'application/json' });
    await open().registries.ping(registry.host);
    const page = await answering(404, '<html><title>Not\n here</title>', { 'content-type': 'text/html' });
    await expect(open().registries.ping(page.host)).rejects.toMatchObject({
      code: 'REGISTRY_NOT_FOUND',
      message: expect.stringMatching(/^cannot read the API version of 127[^/]*: .* an HTML page "Not here"$/),
    });
  });
});

describe('pages', () => {
  it('are not taken for an answer', async () => {
    const server = await answering(200, '<html>Please log in', { 'content-type': 'text/html; charset=utf-8' });
    const sent = open().registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({
      code: 'REGISTRY_ANSWER_INVALID',
      message: `cannot read manifest 1 of ${server.host}/app: ${server.host} answered with an HTML page`,
    });
  });

  it('may be the content of a blob', async () => {
    const server = await answering(200, '<html>', { 'content-type': 'text/html' });
    const request = manifestRequest({ target: '/v2/app/blobs/sha256:1', what: 'blob sha256:1' });
    const response = await open().registries.send({ registry: server.host, path: 'app' }, request);
    expect((await response.bytes(10)).toString()).toBe('<html>');
  });
});

describe('R3: the text of an error', () => {
  it('is read up to 64 KiB, shown up to 300 characters, and escaped', async () => {
    let sent = 0;
    const server = await startSeeing((_request, response) => {
      response.writeHead(400, { 'content-type': 'text/plain' });
      const write = (): void => {
        while (!response.destroyed && response.write('\u001b[31mred\n'.repeat(1000))) sent++;
        response.once('drain', write);
      };
      write();
    });
    stops.push(() => server.stop());
    const { registries } = open();
    const error: unknown = await registries
      .send({ registry: server.host, path: 'app' }, manifestRequest())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REGISTRY_REFUSED', message: expect.stringContaining('\\x1b[31mred\\n') });
    expect(String(error).length).toBeLessThan(1000);
    expect(String(error)).not.toContain('\u001b');
    await expect.poll(() => sent).toBeGreaterThan(0);
  });

  it.each<[string, string, string, readonly string[]]>([
    ['', '', '', []],
    ['{}', 'application/json', '', []],
    ['[1]', '', '', []],
    ['null', '', '', []],
    ['{"errors":null}', '', '', []],
    ['{"errors":[null,{"code":3,"message":["x"]}]}', '', '', []],
    ['{"errors":[{"code":"A","message":"b","detail":"c"},{"message":"d"}]}', '', 'A: b: c; d', ['A']],
    ['{"message":"only this"}', '', 'only this', []],
    ['{"error":"only this"}', '', 'only this', []],
    ['{"details":"denied by policy"}', '', 'denied by policy', []],
    [`{"errors":${'['.repeat(100)}`, '', `{"errors":${'['.repeat(100)}`, []],
    ['  plain text\n', 'text/plain', 'plain text', []],
    ['<!DOCTYPE html><title>Bad gateway</title>', '', 'an HTML page "Bad gateway"', []],
    ['x', 'text/html', 'an HTML page', []],
    [
      JSON.stringify({ errors: [{ code: 'X\u001b', message: 'y'.repeat(400) }] }),
      '',
      `X\\x1b: ${'y'.repeat(296)}...`,
      ['X\\x1b'],
    ],
  ])('%s %s', (body, type, text, codes) => {
    expect(parseErrorBody(Buffer.from(body), type)).toMatchObject({ text, codes });
  });
});

describe('notices', () => {
  it('a warning is told once for each text, other warnings not at all', async () => {
    const warning = ['299 - "old \\"tag\\"", 299 x "second\u00e9"', '199 - "other"', '299 - "old \\"tag\\""', '299 -'];
    const server = await answering(200, '{}', { warning });
    const { registries, events } = open();
    for (let round = 0; round < 2; round++) {
      await (await registries.send({ registry: server.host, path: 'app' }, manifestRequest())).discard();
    }
    expect(events).toEqual([
      { kind: 'warning', registry: server.host, text: 'old "tag"' },
      { kind: 'warning', registry: server.host, text: expect.stringMatching(/^second/) },
    ]);
  });

  it('rate limits are told when they change', async () => {
    let left = 3;
    const server = await startSeeing((_request, response) => {
      response.setHeader('ratelimit-limit', '100;w=21600');
      response.setHeader('ratelimit-remaining', `${Math.max(1, --left)};w=21600`);
      response.end('{}');
    });
    stops.push(() => server.stop());
    const { registries, events } = open();
    for (let round = 0; round < 3; round++) {
      await (await registries.send({ registry: server.host, path: 'app' }, manifestRequest())).discard();
    }
    const event = { kind: 'rate-limit', registry: server.host, limit: '100;w=21600' };
    expect(events).toEqual([
      { ...event, remaining: '2;w=21600' },
      { ...event, remaining: '1;w=21600' },
    ]);
  });
});

describe('R8: a registry that asks for a login', () => {
  function counting(answers: readonly (string | undefined)[]): Authenticator & { asked: unknown[][] } {
    const asked: unknown[][] = [];
    return {
      ...fixedHeader('Bearer old'),
      asked,
      answer: async (origin, registry, _scopes, challenges, refused) => {
        asked.push([origin, registry, challenges, refused]);
        return answers[asked.length - 1];
      },
    };
  }

  async function wanting(token: string): ReturnType<typeof startSeeing> {
    const server = await startSeeing(({ headers, url }, response) => {
      const fits = headers.authorization === token || url === '/v2/';
      response.writeHead(fits ? 200 : 401, fits ? {} : { 'www-authenticate': 'Bearer realm="x"' });
      response.end('{}');
    });
    stops.push(() => server.stop());
    return server;
  }

  it('gets one new header for a request that it refused', async () => {
    const server = await wanting('Bearer new');
    const authenticator = counting(['Bearer new']);
    const { registries } = open({ authenticator });
    await registries.ping(server.host);
    await (await registries.send({ registry: server.host, path: 'app' }, manifestRequest())).discard();
    expect(authenticator.asked).toEqual([[server.url.origin, server.host, ['Bearer realm="x"'], 'Bearer old']]);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer old', 'Bearer new']);
  });

  it('is not asked for ever', async () => {
    const server = await wanting('Bearer never');
    const authenticator = counting(['Bearer 1', 'Bearer 2', 'Bearer 3']);
    const sent = open({ authenticator }).registries.send({ registry: server.host, path: 'app' }, manifestRequest());
    await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer 1',
      'Bearer 2',
      'Bearer 3',
    ]);
    expect(authenticator.asked).toHaveLength(3);
  });

  it('is not asked again with what it refused, nor with nothing', async () => {
    for (const answer of ['Bearer old', undefined]) {
      const server = await wanting('Bearer never');
      const { registries } = open({ authenticator: counting([answer]) });
      await registries.ping(server.host);
      const sent = registries.send({ registry: server.host, path: 'app' }, manifestRequest());
      await expect(sent).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
      expect(server.seen).toHaveLength(2);
    }
  });

  it('hears of a large upload once it lets it through', async () => {
    const server = await wanting('Bearer new');
    const { registries } = open({ authenticator: counting(['Bearer new']) });
    await registries.ping(server.host);
    let made = 0;
    async function* stream(): AsyncGenerator<Uint8Array> {
      made++;
      for (let index = 0; index < 50; index++) yield Buffer.alloc(100_000);
    }
    const request = manifestRequest({ method: 'PUT', body: stream, bodySize: 5_000_000 });
    await (await registries.send({ registry: server.host, path: 'app' }, request)).discard();
    expect(made).toBe(2);
  });
});

import { createServer, type RequestListener } from 'node:http';
import { BoxwrightError } from '@boxwright/errors';
import { afterEach, describe, expect, it } from 'vitest';
import { type PrefectServer, prefectServerFrom } from '../prefect-api/server.ts';
import { prefectSource } from './prefect-source.ts';
import type { VariableSource } from './variable-source.ts';

const running: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function source(answer: RequestListener, login: Partial<PrefectServer> = {}): Promise<VariableSource> {
  const made = createServer(answer);
  running.push(async () => {
    made.closeAllConnections();
    await new Promise((resolve) => made.close(resolve));
  });
  await new Promise<void>((resolve) => {
    made.listen(0, '127.0.0.1', resolve);
  });
  const address = made.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return prefectSource({ url: `http://127.0.0.1:${address.port}/api`, ...login });
}

async function code(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof BoxwrightError) return error.code;
    throw error;
  }
  return 'none';
}

describe('prefectSource', () => {
  it('asks for variables and blocks as Prefect does', async () => {
    const asked: string[] = [];
    const variables = await source(
      (request, response) => {
        asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
        expect(request.headers['x-prefect-api-version']).toBe('0.8.4');
        if (request.url?.includes('variables/name/a%2Fb')) response.end('{"id": 1, "value": [1, "x"]}');
        else if (request.url?.includes('block_types')) {
          response.end(
            '{"data": {"user": "me", "code": "s"}, "block_schema": {"fields": {"secret_fields": ["code"]}}}',
          );
        } else response.writeHead(404).end('{"detail": "no"}');
      },
      { apiKey: 'key' },
    );
    expect(await variables.variable('a/b')).toEqual([1, 'x']);
    expect(await variables.variable('other')).toBeUndefined();
    expect(await variables.block('json', 'x')).toEqual({ data: { user: 'me', code: 's' }, secretFields: ['code'] });
    expect(asked).toEqual([
      'GET /api/variables/name/a%2Fb Bearer key',
      'GET /api/variables/name/other Bearer key',
      'GET /api/block_types/slug/json/block_documents/name/x?include_secrets=true Bearer key',
    ]);
  });

  it('logs in to servers of one’s own', async () => {
    const variables = await source(
      (request, response) => {
        response.writeHead(request.headers.authorization === 'Basic dTpw' ? 404 : 401).end('{"detail": "no"}');
      },
      { authString: 'u:p', apiKey: 'key' },
    );
    expect(await variables.variable('a')).toBeUndefined();
  });

  it('tries again where that may help', async () => {
    let tries = 0;
    const variables = await source((_, response) => {
      tries++;
      if (tries === 1) response.destroy();
      else if (tries === 2) response.writeHead(429, { 'Retry-After': '0' }).end();
      else response.end('{"value": "third"}');
    });
    expect(await variables.variable('a')).toBe('third');
  });

  it.each([
    ['a refused login', 403, '', 'PREFECT_API_DENIED'],
    ['another status', 500, '', 'PREFECT_API_FAILED'],
    ['a redirect', 302, '', 'PREFECT_API_FAILED'],
    ['HTML', 200, '<html>', 'PREFECT_API_FAILED'],
    ['another JSON', 200, '[1]', 'PREFECT_API_FAILED'],
    ['too much', 200, `"${'x'.repeat(5_000_000)}"`, 'PREFECT_API_FAILED'],
  ])('tells of %s', async (_, status, body, expected) => {
    const variables = await source((__, response) => {
      response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end(body);
    });
    expect(await code(() => variables.variable('a'))).toBe(expected);
  });

  it('tells of a server that is not there', async () => {
    const variables = prefectSource({ url: 'http://127.0.0.1:1/api' });
    expect(await code(() => variables.variable('a'))).toBe('PREFECT_API_UNREACHABLE');
  });

  it('refuses URLs that are none, or hold a login', async () => {
    for (const url of ['', 'x', 'file:///api', 'http://u:p@h/api', 'http://h/api?x=1']) {
      expect(await code(async () => prefectSource({ url }))).toBe('PREFECT_API_URL_INVALID');
    }
    expect(prefectServerFrom({ PREFECT_API_URL: '' })).toBeUndefined();
    expect(prefectServerFrom({ PREFECT_API_URL: 'http://h', PREFECT_API_KEY: 'k' })).toMatchObject({
      url: 'http://h',
      apiKey: 'k',
    });
  });
});

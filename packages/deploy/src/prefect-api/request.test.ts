import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { isBoxwrightError } from '@boxwright/errors';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ApiRequest, type PrefectApiOptions, prefectApi } from './request.ts';
import { type PrefectServer, prefectServerFrom } from './server.ts';

const secret = 'pnu_verysecret0';

/** A server for one test; the URL of its API. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return `http://127.0.0.1:${address.port}/api`;
}

const get: ApiRequest = { method: 'GET', path: 'work_pools/p' };
const post: ApiRequest = { method: 'POST', path: 'deployments/', body: { name: 'n' } };

/** What a request fails with, as people and logs see it. */
async function failure(
  url: string,
  request: ApiRequest = get,
  options: PrefectApiOptions = {},
  login: Partial<PrefectServer> = { apiKey: secret },
): Promise<{ readonly code: string; readonly message: string; readonly hint: string }> {
  try {
    await prefectApi({ url, ...login }, options).request(request);
  } catch (error) {
    if (!isBoxwrightError(error)) throw error;
    const everything = `${error.message} ${error.hint} ${JSON.stringify(error.details)} ${String(error.cause)}`;
    expect(everything).not.toContain(secret);
    return { code: error.code, message: error.message, hint: error.hint ?? '' };
  }
  throw new Error('nothing failed');
}

/** Answers all but the question for a token. */
function answering(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return ({ url }, response) => {
    if (url?.includes('csrf-token') === true) response.writeHead(422).end('{"detail": "CSRF protection is disabled."}');
    else
      response
        .writeHead(status, { 'Retry-After': '0', ...headers })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

describe('prefectApi', () => {
  it.each<[number, unknown, ApiRequest, string, string, string]>([
    [401, { exception_message: 'Unauthorized' }, get, 'PREFECT_API_DENIED', '(401: Unauthorized)', 'PREFECT_API_KEY'],
    [403, { detail: `${secret} may not` }, post, 'PREFECT_API_DENIED', '(403: *** may not)', 'PREFECT_API_KEY'],
    [
      404,
      { detail: 'Work pool "p" not found.' },
      post,
      'PREFECT_API_FAILED',
      '404: Work pool "p" not found.',
      'Try again',
    ],
    [404, { detail: 'Not Found' }, get, 'PREFECT_API_FAILED', '404: Not Found', '/api at its end'],
    [404, '<html>no such page</html>', get, 'PREFECT_API_FAILED', 'answered 404', '/api at its end'],
    [409, { detail: 'Error creating deployment: x' }, post, 'PREFECT_API_FAILED', '409: Error creating', 'Mend'],
    [
      422,
      {
        exception_message: 'Invalid request received.',
        exception_detail: [
          { loc: ['body', 'tags', 0], msg: 'Input should be a valid string', input: secret, type: 'string_type' },
          { loc: ['body', 'x'], msg: 'Extra inputs are not permitted' },
        ],
        request_body: { job_variables: { token: secret } },
      },
      post,
      'PREFECT_API_FAILED',
      '422: Invalid request received.; tags.0: Input should be a valid string; x: Extra inputs are not permitted',
      'Mend',
    ],
    [
      422,
      { detail: [{ loc: ['body', 'name'], msg: 'Field required' }] },
      post,
      'PREFECT_API_FAILED',
      '422: name: Field required',
      'Mend',
    ],
    [
      500,
      { exception_message: 'Internal Server Error' },
      post,
      'PREFECT_API_FAILED',
      '500: Internal Server Error',
      'log of the server',
    ],
    [502, '<html>bad gateway</html>', post, 'PREFECT_API_FAILED', 'answered 502', 'asked several times'],
    [200, '<!doctype html>', get, 'PREFECT_API_FAILED', 'no JSON, or too much of it', '/api at its end'],
    [200, `"${'x'.repeat(5_000_000)}"`, get, 'PREFECT_API_FAILED', 'no JSON, or too much of it', '/api at its end'],
    [422, { detail: `\u001b[2J${'y'.repeat(5000)}` }, post, 'PREFECT_API_FAILED', '422: \\x1b[2J', 'Mend'],
  ])('tells of %i (%#)', async (status, body, request, code, message, hint) => {
    const shown = await failure(await serve(answering(status, body)), request);
    expect(shown).toEqual({ code, message: expect.stringContaining(message), hint: expect.stringContaining(hint) });
    expect(shown.message.length).toBeLessThan(1300);
    expect(shown.message).not.toContain('<');
  });

  it('takes the 404 of a name for an answer', async () => {
    const api = prefectApi({ url: await serve(answering(404, { detail: 'Work pool not found' })) });
    expect((await api.request(get)).status).toBe(404);
  });

  it.each([408, 429, 502, 503])('tries again after %i', async (status) => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (asked.length <= 3) response.writeHead(status, { 'Retry-After': '0' }).end('<html>');
      else response.end('{"id": "1"}');
    });
    expect((await prefectApi({ url }).request(get)).value).toEqual({ id: '1' });
    expect(asked).toEqual(Array.from({ length: 4 }, () => 'GET /api/work_pools/p'));
  });

  it.each([400, 409, 500, 504])('does not try again after %i', async (status) => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(status).end('{"detail": "no"}');
    });
    await failure(url);
    expect(asked).toBe(1);
  });

  it.each([301, 302, 307, 308])('keeps its key from where %i sends it', async (status) => {
    const followed: (string | undefined)[] = [];
    const other = await serve(({ headers }, response) => {
      followed.push(headers.authorization);
      response.end('{}');
    });
    const url = await serve(answering(status, '', { Location: `${other}/work_pools/p` }));
    const shown = await failure(url);
    expect(shown.hint).toContain(`It sends on to ${new URL(other).origin}, where the login is not sent`);
    expect(followed).toEqual([]);
  });

  it('does not wait for ever for an answer, or for the rest of one', async () => {
    const silent = await serve(() => {});
    const shown = await failure(silent, get, { timeoutMs: 50 });
    expect(shown).toMatchObject({ code: 'PREFECT_API_UNREACHABLE', message: expect.stringContaining('in time') });
    const half = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{"id":');
    });
    expect(await failure(half, get, { timeoutMs: 50 })).toMatchObject({ code: 'PREFECT_API_UNREACHABLE' });
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{"id":', () => response.destroy());
    });
    expect(await failure(broken)).toMatchObject({ code: 'PREFECT_API_UNREACHABLE' });
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const address = gone.address();
    await new Promise((resolve) => gone.close(resolve));
    const nobody = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/api`;
    expect((await failure(nobody)).message).toContain('cannot be reached (ECONNREFUSED)');
  });

  it('ends with the reason of its signal, also while it waits', async () => {
    const stop = new AbortController();
    const url = await serve((_, response) => {
      response.writeHead(503, { 'Retry-After': '10' }).end();
      stop.abort(new Error('stopped'));
    });
    await expect(prefectApi({ url }, { signal: stop.signal }).request(get)).rejects.toThrow('stopped');
  });

  it.each(['', '/', '///'])('takes a URL with %j at its end', async (end) => {
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end('{}');
    });
    await prefectApi({ url: `${url}${end}` }).request(get);
    expect(asked).toEqual(['/api/work_pools/p']);
  });

  it('asks for a new token when the old one has run out, and not when the login is refused', async () => {
    let tokens = 0;
    const changes: unknown[] = [];
    const url = await serve((request, response) => {
      if (request.url?.includes('csrf-token') === true) response.end(`{"token": "${++tokens}"}`);
      else {
        changes.push(request.headers['prefect-csrf-token']);
        const isOld = request.headers['prefect-csrf-token'] === '1';
        response.writeHead(isOld ? 403 : 201).end(isOld ? '{"detail": "Invalid CSRF token."}' : '{"id": "1"}');
      }
    });
    await prefectApi({ url }).request(post);
    expect(changes).toEqual(['1', '2']);
    const asked: unknown[] = [];
    const denied = await serve((request, response) => {
      asked.push(request.method);
      response.writeHead(403).end('{"detail": "not yours"}');
    });
    expect((await failure(denied, post)).code).toBe('PREFECT_API_DENIED');
    expect(asked).toEqual(['GET', 'POST']);
  });

  it('does not show a key that cannot be sent', async () => {
    const url = await serve(answering(200, {}));
    const env = { PREFECT_API_URL: url, PREFECT_API_KEY: `${secret}\n` };
    await prefectApi(prefectServerFrom(env) ?? { url: '' }).request(get);
    for (const apiKey of [`${secret}\nX: y`, `${secret} more`, `${secret}ü`]) {
      expect(await failure(url, get, {}, { apiKey })).toMatchObject({ code: 'PREFECT_API_DENIED' });
    }
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError } from '@boxwright/errors';
import { isPlainObject, type PlainObject } from '../yaml/index.ts';
import { type ApiAnswer, type RawAnswer, readAnswer } from './answer.ts';
import { type PrefectServer, parseApiUrl, prefectHeaders } from './server.ts';

/** A longer answer is refused. In bytes. */
const maxAnswer = 4 * 1024 * 1024;
/** For each try of a request, its answer included. */
const defaultTimeoutMs = 30_000;
/** After the first. */
const maxRetries = 3;
/** Prefect's own client tries again after these. All requests may be made twice: they name what they make. */
const retryable: readonly number[] = [408, 429, 502, 503];

/** One request to a Prefect server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the API's base: `deployments/`. */
  readonly path: string;
  readonly body?: PlainObject | undefined;
}

/** A Prefect server's REST API (section 15 of Prefect's behaviour: least fields, no unknown ones). */
export interface PrefectApi {
  /**
   * @returns an answer below 300, or the 404 of a GET
   * @throws BoxwrightError PREFECT_API_UNREACHABLE, PREFECT_API_DENIED, PREFECT_API_FAILED; the signal's reason
   */
  request(request: ApiRequest): Promise<ApiAnswer>;
  readonly host: string;
}

/** What {@link prefectApi} may be told. */
export interface PrefectApiOptions {
  readonly signal?: AbortSignal | undefined;
  /** For each try of a request. Milliseconds; default 30 seconds. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Opens the API of a server. Nothing is sent before the first request. Redirects are not followed: the login must not go
 * to others.
 *
 * @throws BoxwrightError PREFECT_API_URL_INVALID; PREFECT_API_DENIED for a key that cannot be one
 */
export function prefectApi(server: PrefectServer, options: PrefectApiOptions = {}): PrefectApi {
  const { signal, timeoutMs = defaultTimeoutMs } = options;
  const base = parseApiUrl(server.url);
  const login = prefectHeaders(server);
  const secrets = [server.apiKey, server.authString].filter((secret) => secret !== undefined);
  const client = randomUUID();
  let csrf: Promise<string | undefined> | undefined;
  const send = async ({ method, path, body }: ApiRequest, token: string | undefined): Promise<RawAnswer> => {
    const ends = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])];
    const response = await fetch(new URL(base.href + path), {
      method,
      redirect: 'manual',
      signal: AbortSignal.any(ends),
      headers: {
        Accept: 'application/json',
        ...login,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { 'Prefect-Csrf-Token': token, 'Prefect-Csrf-Client': client }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status, headers } = response;
    const retryAfter = Number(headers.get('Retry-After') ?? Number.NaN);
    return { status, location: headers.get('Location'), retryAfter, text: await readText(response) };
  };
  const sendPatiently = async (request: ApiRequest, token?: string): Promise<RawAnswer> => {
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const answer = await send(request, token).catch((error: unknown) => {
        signal?.throwIfAborted();
        if (attempt >= maxRetries) throw unreachable(base, error);
        return undefined;
      });
      if (answer !== undefined && (!retryable.includes(answer.status) || attempt >= maxRetries)) return answer;
      // An abort is told by the signal above, with its own reason.
      await sleep(waitMs(answer, attempt), undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  };
  /** Servers that protect against forged requests want a token with each that changes something; others say 404 or 422. */
  const token = async (): Promise<string | undefined> => {
    const request = { method: 'GET', path: `csrf-token?client=${client}` } as const;
    const answer = await sendPatiently(request);
    if (answer.status !== 200) return undefined;
    const { value } = readAnswer({ ...request, url: base, secrets }, answer);
    return isPlainObject(value) && typeof value['token'] === 'string' ? value['token'] : undefined;
  };
  return {
    host: base.host,
    async request(request) {
      const changes = request.method !== 'GET';
      if (changes) csrf ??= token();
      let answer = await sendPatiently(request, await csrf);
      if (changes && answer.status === 403 && /csrf/i.test(answer.text ?? '')) {
        // Tokens run out.
        csrf = token();
        answer = await sendPatiently(request, await csrf);
      }
      return readAnswer({ ...request, url: base, secrets }, answer);
    },
  };
}

async function readText(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    // Leaving the loop ends the connection.
    if (size > maxAnswer) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What the server asks for (seconds, at most 10), else 0.2, 0.4, 0.8 seconds, each up to a half more. */
function waitMs(answer: RawAnswer | undefined, attempt: number): number {
  if (answer !== undefined && answer.retryAfter >= 0) return Math.min(answer.retryAfter, 10) * 1000;
  return 200 * 2 ** attempt * (1 + Math.random() / 2);
}

function unreachable(base: URL, cause: unknown): BoxwrightError {
  const isSlow = cause instanceof Error && cause.name === 'TimeoutError';
  const reason: unknown = cause instanceof Error ? cause.cause : undefined;
  const code = reason instanceof Error && 'code' in reason ? ` (${String(reason.code)})` : '';
  const what = isSlow ? 'does not answer in time' : `cannot be reached${code}`;
  return new BoxwrightError('PREFECT_API_UNREACHABLE', `the Prefect server at ${base.host} ${what}`, {
    hint: /CERT|TLS|SSL/.test(code)
      ? 'Name the authority that its certificate is from: NODE_EXTRA_CA_CERTS=ca.pem.'
      : 'Check PREFECT_API_URL, and that the server runs.',
    cause,
  });
}

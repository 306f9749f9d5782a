import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type PrefectServer, prefectHeaders } from '../variables/index.ts';
import { isPlainObject, type PlainObject, type PlainValue, toPlainValue } from '../yaml/index.ts';

/** A longer answer is refused. In bytes. */
const maxAnswer = 4 * 1024 * 1024;
const timeoutMs = 30_000;
/** After the first. */
const maxRetries = 3;
/** Prefect's own client tries again after these. */
const retryable: readonly number[] = [408, 429, 502, 503];
/** Longer texts of answers are cut in messages. */
const maxDetail = 1000;

/** One request to a Prefect server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the API's base: `deployments/`. */
  readonly path: string;
  readonly body?: PlainObject | undefined;
}

/** What it answered: a status below 300, or 404. */
export interface ApiAnswer {
  readonly status: number;
  /** Null where there is no body. */
  readonly value: PlainValue;
}

/** A Prefect server's REST API (section 15 of Prefect's behaviour: least fields, no unknown ones). */
export interface PrefectApi {
  /** @throws BoxwrightError PREFECT_API_UNREACHABLE, PREFECT_API_DENIED, PREFECT_API_FAILED; the signal's reason */
  request(request: ApiRequest): Promise<ApiAnswer>;
  readonly host: string;
}

/**
 * Opens the API of a server. Nothing is sent before the first request. Redirects are not followed: the login must not go
 * to others.
 *
 * @throws BoxwrightError PREFECT_API_URL_INVALID
 */
export function prefectApi(server: PrefectServer, signal?: AbortSignal): PrefectApi {
  const base = parseBase(server.url);
  const client = randomUUID();
  let csrf: Promise<string | undefined> | undefined;
  const send = async (request: ApiRequest, token: string | undefined): Promise<Response> => {
    const { method, path, body } = request;
    const ends = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])];
    return await fetch(new URL(base.href + path), {
      method,
      redirect: 'manual',
      signal: AbortSignal.any(ends),
      headers: {
        Accept: 'application/json',
        ...prefectHeaders(server),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { 'Prefect-Csrf-Token': token, 'Prefect-Csrf-Client': client }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  const sendPatiently = async (request: ApiRequest, token: string | undefined): Promise<Response> => {
    for (let attempt = 0; ; attempt++) {
      const response = await send(request, token).catch((error: unknown) => {
        signal?.throwIfAborted();
        if (attempt >= maxRetries) throw unreachable(base, error);
        return undefined;
      });
      const isFinal = response !== undefined && (!retryable.includes(response.status) || attempt >= maxRetries);
      if (isFinal) return response;
      await response?.body?.cancel();
      await sleep(waitMs(response, attempt), undefined, signal === undefined ? {} : { signal });
    }
  };
  /** Servers that protect against forged requests want a token with each that changes something; others say 404 or 422. */
  const token = async (): Promise<string | undefined> => {
    const response = await sendPatiently({ method: 'GET', path: `csrf-token?client=${client}` }, undefined);
    if (response.status !== 200) {
      await response.body?.cancel();
      return undefined;
    }
    const value = await readValue(base, response);
    return isPlainObject(value) && typeof value['token'] === 'string' ? value['token'] : undefined;
  };
  return {
    host: base.host,
    async request(request) {
      const changes = request.method !== 'GET';
      if (changes) csrf ??= token();
      let response = await sendPatiently(request, changes ? await csrf : undefined);
      if (changes && response.status === 403) {
        // Tokens run out.
        await response.body?.cancel();
        csrf = token();
        response = await sendPatiently(request, await csrf);
      }
      return await readAnswer(base, request, response);
    },
  };
}

async function readAnswer(base: URL, request: ApiRequest, response: Response): Promise<ApiAnswer> {
  const { status } = response;
  if (status === 401 || status === 403) {
    await response.body?.cancel();
    throw new BoxwrightError('PREFECT_API_DENIED', `${base.host}: the Prefect server refuses the login (${status})`, {
      hint: 'Set PREFECT_API_KEY, or PREFECT_API_AUTH_STRING for a server of your own.',
      details: { status },
    });
  }
  const value = status === 204 ? null : await readValue(base, response);
  if (status < 300 || status === 404) return { status, value };
  throw refused(base, request, status, value);
}

function refused(base: URL, { method, path }: ApiRequest, status: number, value: PlainValue): BoxwrightError {
  const detail = isPlainObject(value) ? value['detail'] : undefined;
  const text = typeof detail === 'string' ? detail : detail === undefined ? '' : JSON.stringify(detail);
  const shown = escapeForTerminal(text.length > maxDetail ? `${text.slice(0, maxDetail)}…` : text);
  return new BoxwrightError(
    'PREFECT_API_FAILED',
    `${method} ${path}: the Prefect server at ${base.host} answered ${status}${shown === '' ? '' : `: ${shown}`}`,
    {
      hint:
        status >= 500
          ? 'Look into the log of the server.'
          : 'Mend what it says; job variables are checked by the work pool.',
      details: { status, detail: shown },
    },
  );
}

async function readValue(base: URL, response: Response): Promise<PlainValue> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size <= maxAnswer) parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (text === '') return null;
  try {
    if (size > maxAnswer) throw new RangeError('too long');
    return toPlainValue(JSON.parse(text));
  } catch {
    if (response.status >= 400) return null;
    // What it could not read may hold secrets, and the cause would show it.
    throw new BoxwrightError(
      'PREFECT_API_FAILED',
      `${base.host}: the Prefect server answered no JSON, or too much of it`,
      {
        hint: 'Is the URL that of the API, with /api at its end?',
      },
    );
  }
}

/** What the server asks for (seconds, at most 10), else 0.2, 0.4, 0.8 seconds, each up to a half more. */
function waitMs(response: Response | undefined, attempt: number): number {
  const asked = Number(response?.headers.get('Retry-After') ?? Number.NaN);
  if (asked >= 0) return Math.min(asked, 10) * 1000;
  return 200 * 2 ** attempt * (1 + Math.random() / 2);
}

function unreachable(base: URL, cause: unknown): BoxwrightError {
  return new BoxwrightError('PREFECT_API_UNREACHABLE', `the Prefect server at ${base.host} cannot be reached`, {
    hint: 'Check the URL, and that the server runs.',
    cause,
  });
}

function parseBase(url: string): URL {
  const parsed = URL.parse(url.endsWith('/') ? url : `${url}/`);
  const isUsable = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.search === '' && parsed.hash === '';
  if (isUsable && parsed.username === '' && parsed.password === '') return parsed;
  throw new BoxwrightError('PREFECT_API_URL_INVALID', 'the URL of the Prefect API is not usable', {
    hint: 'It looks like http://127.0.0.1:4200/api; a login belongs into PREFECT_API_KEY or PREFECT_API_AUTH_STRING.',
  });
}

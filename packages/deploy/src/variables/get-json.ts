import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError } from '@boxwright/errors';

/** A longer answer is refused. In bytes. */
const maxAnswer = 4 * 1024 * 1024;
/** In milliseconds. */
const timeout = 30_000;
/** After the first. */
const maxRetries = 3;
/** Prefect's own client tries again after these. */
const retryable = new Set([408, 429, 502, 503]);

/**
 * GETs JSON from a Prefect server, trying again where that may help. Redirects are not followed: the login must not go to others.
 *
 * @returns undefined for 404
 * @throws BoxwrightError `PREFECT_API_UNREACHABLE`, `PREFECT_API_DENIED` or `PREFECT_API_FAILED`
 */
export async function getJson(url: URL, headers: Readonly<Record<string, string>>): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    const response = await tryGet(url, headers).catch((error: unknown) => {
      if (attempt >= maxRetries) throw unreachable(url, error);
      return undefined;
    });
    if (response && !(retryable.has(response.status) && attempt < maxRetries)) return readAnswer(url, response);
    await response?.body?.cancel();
    await sleep(waitFor(response, attempt));
  }
}

function tryGet(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, {
    headers: { Accept: 'application/json', ...headers },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
  });
}

/** What the server asks for (seconds, at most 10), else 0.2, 0.4, 0.8 seconds, each up to a half more. In milliseconds. */
function waitFor(response: Response | undefined, attempt: number): number {
  const asked = Number(response?.headers.get('Retry-After') ?? Number.NaN);
  if (asked >= 0) return Math.min(asked, 10) * 1000;
  return 200 * 2 ** attempt * (1 + Math.random() / 2);
}

async function readAnswer(url: URL, response: Response): Promise<unknown> {
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  const where = `${url.host}${url.pathname}`;
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    throw new BoxwrightError(
      'PREFECT_API_DENIED',
      `${where}: the Prefect server refuses the login (${response.status})`,
      {
        hint: 'Set PREFECT_API_KEY, or PREFECT_API_AUTH_STRING for a server of your own.',
        details: { status: response.status },
      },
    );
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw failed(where, `status ${response.status}`, { status: response.status });
  }
  try {
    return JSON.parse(await readBody(response));
  } catch {
    // What it could not read may hold secrets, and the cause would show it.
    throw failed(where, 'no JSON, too much of it, or half of it');
  }
}

async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > maxAnswer) throw new RangeError('too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function failed(where: string, what: string, details: Readonly<Record<string, unknown>> = {}): BoxwrightError {
  return new BoxwrightError('PREFECT_API_FAILED', `${where}: the Prefect server answered ${what}`, {
    hint: 'Is PREFECT_API_URL the address of the API, with /api at its end?',
    details,
  });
}

function unreachable(url: URL, cause: unknown): BoxwrightError {
  return new BoxwrightError('PREFECT_API_UNREACHABLE', `the Prefect server at ${url.host} cannot be reached`, {
    hint: 'Check PREFECT_API_URL, and that the server runs.',
    cause,
  });
}

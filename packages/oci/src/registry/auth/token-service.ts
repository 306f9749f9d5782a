import { setTimeout as delay } from 'node:timers/promises';
import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import type { HttpRequest, HttpResponse, HttpTransport } from '../transport/http.ts';
import { type BearerToken, MAX_TOKEN_ANSWER, parseTokenAnswer } from './bearer-token.ts';
import { basicSecret, type FoundCredential, secretsOf } from './credential.ts';
import { redact } from './secret.ts';
import { errorWords } from './token-error.ts';

/** What to ask a token service for. */
export interface TokenQuestion {
  /** Checked: see `parseRealm`. */
  readonly realm: URL;
  /** The registry's origin, which named the realm. */
  readonly origin: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly found: FoundCredential | undefined;
  /** Whom the token is for: in messages. */
  readonly registry: string;
  readonly signal?: AbortSignal | undefined;
}

/** Tries in all when the token service is busy or the connection breaks (threats R6). */
const TRIES = 5;
const FIRST_WAIT = 500;
const MAX_RETRY_AFTER = 120_000;
const CLIENT_ID = 'boxwright';

/**
 * Gets a token: GET with Basic credentials or none (distribution, token authentication), or POST with an identity token
 * (OAuth2 token authentication). Redirects are not followed: a token service that moves is asked where it is.
 *
 * @throws BoxwrightError REGISTRY_UNAUTHORIZED, REGISTRY_DENIED, REGISTRY_RATE_LIMITED, REGISTRY_UNAVAILABLE,
 *   REGISTRY_REFUSED, REGISTRY_ANSWER_INVALID and those of the transport
 */
export async function askForToken(transport: HttpTransport, question: TokenQuestion): Promise<BearerToken> {
  const request = requestFor(question);
  for (let tries = 1; ; tries++) {
    const askedAt = performance.now();
    const answer = await attempt(transport, request, tries);
    if ('waitMs' in answer) {
      await delay(answer.waitMs, undefined, question.signal === undefined ? {} : { signal: question.signal }).catch(
        (error: unknown) => {
          question.signal?.throwIfAborted();
          throw error;
        },
      );
      continue;
    }
    if (answer.status !== 200) throw await refusal(answer, question, tries);
    const bytes = await answer.bytes(MAX_TOKEN_ANSWER);
    return parseTokenAnswer(bytes, { service: question.realm.host, askedAt, date: answer.header('date') });
  }
}

function requestFor({ realm, origin, service, scopes, found, signal }: TokenQuestion): HttpRequest {
  const url = new URL(realm);
  const common = {
    headers: { accept: 'application/json' },
    namedBy: new URL(origin),
    ...(signal === undefined ? {} : { signal }),
  };
  const credential = found?.credential;
  if (credential?.kind === 'identity-token') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID });
    if (service !== undefined) form.set('service', service);
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    form.set('refresh_token', credential.identityToken.reveal());
    const headers = { ...common.headers, 'content-type': 'application/x-www-form-urlencoded' };
    return { ...common, method: 'POST', url, headers, body: Buffer.from(form.toString()) };
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credential?.kind !== 'password') return { ...common, method: 'GET', url };
  url.searchParams.set('account', credential.username);
  const headers = { ...common.headers, authorization: `Basic ${basicSecret(credential).reveal()}` };
  return { ...common, method: 'GET', url, headers };
}

/** One exchange: an answer that stands, or how long to wait before the next. */
async function attempt(
  transport: HttpTransport,
  request: HttpRequest,
  tries: number,
): Promise<HttpResponse | { readonly waitMs: number }> {
  // Half to all of the step: clients that failed together do not come back together.
  const backOff = FIRST_WAIT * 2 ** (tries - 1) * (0.5 + Math.random() / 2);
  try {
    const answer = await transport.send(request);
    if (tries >= TRIES || !isBusy(answer.status)) return answer;
    const waitMs = retryAfter(answer.header('retry-after')) ?? backOff;
    await answer.discard();
    return { waitMs };
  } catch (error) {
    if (tries >= TRIES || !isBoxwrightError(error) || error.code !== 'REGISTRY_CONNECTION') throw error;
    return { waitMs: backOff };
  }
}

function isBusy(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** Milliseconds: seconds or a date (RFC 9110 section 10.2.3), at most two minutes. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const wait = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER);
}

async function refusal(answer: HttpResponse, question: TokenQuestion, tries: number): Promise<BoxwrightError> {
  const { realm, registry, found } = question;
  const words = redact(await errorWords(answer), secretsOf(found?.credential));
  const said = words === '' ? '' : `: ${escapeForTerminal(words.slice(0, 300))}`;
  const host = escapeForTerminal(realm.host);
  const who = found === undefined ? 'without credentials' : `with ${found.origin}`;
  const { code, what, hint } = meaning(answer.status, found, tries);
  return new BoxwrightError(
    code,
    `the token service ${host} of registry ${registry} ${what} (${answer.status}, asked ${who})${said}`,
    { hint, details: { registry, service: realm.host, status: answer.status, scopes: question.scopes } },
  );
}

function meaning(
  status: number,
  found: FoundCredential | undefined,
  tries: number,
): { code: string; what: string; hint: string } {
  const logIn = 'Log in with boxwright login; boxwright login --explain shows which credentials are used.';
  // 400 and 401 with an identity token: it has expired or was revoked (RFC 6749 section 5.2).
  const isGrant = status === 400 && found?.credential.kind === 'identity-token';
  if (status === 401 || isGrant) {
    const what = found === undefined ? 'gives no token without credentials' : 'does not accept the credentials';
    return { code: 'REGISTRY_UNAUTHORIZED', what, hint: logIn };
  }
  if (status === 403) return { code: 'REGISTRY_DENIED', what: 'denies a token for this', hint: logIn };
  if (status === 429) {
    const hint = 'Wait a while; logged-in users are often given more requests.';
    return { code: 'REGISTRY_RATE_LIMITED', what: `was asked too often, ${tries} times by us`, hint };
  }
  if (isBusy(status)) {
    return { code: 'REGISTRY_UNAVAILABLE', what: `failed ${tries} times`, hint: 'Try again later.' };
  }
  const hint = 'The registry, or a proxy in front of it, is not set up right.';
  return { code: 'REGISTRY_REFUSED', what: 'gives no token', hint };
}

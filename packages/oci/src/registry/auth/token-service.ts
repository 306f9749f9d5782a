import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import { retryAfter } from '../session/retry-delay.ts';
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

const CLIENT_ID = 'boxwright';

/**
 * Gets a token: GET with Basic credentials or none (distribution, token authentication), or POST with an identity token
 * (OAuth2 token authentication). Redirects are not followed: a token service that moves is asked where it is. What may
 * work a moment later is left to the caller: `details.transient`, and `details.retryAfterMs` if the service says when.
 *
 * @throws BoxwrightError REGISTRY_UNAUTHORIZED, REGISTRY_DENIED, REGISTRY_RATE_LIMITED, REGISTRY_UNAVAILABLE,
 *   REGISTRY_REFUSED, REGISTRY_ANSWER_INVALID and those of the transport
 */
export async function askForToken(transport: HttpTransport, question: TokenQuestion): Promise<BearerToken> {
  const askedAt = performance.now();
  try {
    const answer = await transport.send(requestFor(question));
    if (answer.status !== 200) throw await refusal(answer, question);
    const bytes = await answer.bytes(MAX_TOKEN_ANSWER);
    return parseTokenAnswer(bytes, { service: question.realm.host, askedAt, date: answer.header('date') });
  } catch (error) {
    throw notActed(error, question);
  }
}

/** The registry itself has not seen the request that the token is for, so that this can be tried again in any case. */
function notActed(error: unknown, { registry, realm }: TokenQuestion): unknown {
  if (!isBoxwrightError(error) || error.code !== 'REGISTRY_CONNECTION') return error;
  const message = `no token from the token service ${realm.host} of registry ${registry}: ${error.message}`;
  return new BoxwrightError('REGISTRY_CONNECTION', message, {
    hint: error.hint,
    cause: error,
    details: { ...error.details, connected: false },
  });
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

function isBusy(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

async function refusal(answer: HttpResponse, question: TokenQuestion): Promise<BoxwrightError> {
  const { realm, registry, found } = question;
  const retryAfterMs = retryAfter(answer, Date.now());
  const words = redact(await errorWords(answer), secretsOf(found?.credential));
  const said = words === '' ? '' : `: ${escapeForTerminal(words.slice(0, 300))}`;
  const host = escapeForTerminal(realm.host);
  const who = found === undefined ? 'without credentials' : `with ${found.origin}`;
  const { code, what, hint } = meaning(answer.status, found);
  return new BoxwrightError(
    code,
    `the token service ${host} of registry ${registry} ${what} (${answer.status}, asked ${who})${said}`,
    {
      hint,
      details: {
        registry,
        service: realm.host,
        status: answer.status,
        scopes: question.scopes,
        transient: isBusy(answer.status),
        connected: false,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      },
    },
  );
}

function meaning(status: number, found: FoundCredential | undefined): { code: string; what: string; hint: string } {
  const explain = 'boxwright login --explain shows which credentials are used.';
  const logIn =
    found === undefined
      ? `Log in with boxwright login; ${explain}`
      : `Check the user name and the password or token, which may have expired; ${explain}`;
  // 400 and 401 with an identity token: it has expired or was revoked (RFC 6749 section 5.2).
  const isGrant = status === 400 && found?.credential.kind === 'identity-token';
  if (status === 401 || isGrant) {
    const what = found === undefined ? 'gives no token without credentials' : 'does not accept the credentials';
    return { code: 'REGISTRY_UNAUTHORIZED', what, hint: logIn };
  }
  if (status === 403) return { code: 'REGISTRY_DENIED', what: 'denies a token for this', hint: logIn };
  if (status === 429) {
    const hint = 'Wait a while; logged-in users are often given more requests.';
    return { code: 'REGISTRY_RATE_LIMITED', what: 'is asked too often', hint };
  }
  if (isBusy(status)) {
    return { code: 'REGISTRY_UNAVAILABLE', what: 'has a fault', hint: 'Try again later.' };
  }
  const hint = 'The registry, or a proxy in front of it, is not set up right.';
  return { code: 'REGISTRY_REFUSED', what: 'gives no token', hint };
}

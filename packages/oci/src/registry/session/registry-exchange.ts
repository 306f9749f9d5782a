import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { Authenticator } from '../auth/authenticator.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from '../transport/http.ts';
import type { Endpoint } from './endpoint.ts';
import { readStart, withBody } from './error-body.ts';
import { harmlessHeaders, isRedirect, MAX_HOPS, redirectTarget, resolveTarget } from './redirects.ts';
import type { RegistryRequest } from './registries.ts';

/** What an exchange with a registry goes through. */
export interface ExchangeParts {
  readonly transport: HttpTransport;
  readonly authenticator: Authenticator;
}

/**
 * One try of a request: finds out how the registry is spoken to, logs in where it asks for that, follows redirects. Any
 * status of the end of that is an answer.
 */
export async function registryExchange(
  parts: ExchangeParts,
  endpoint: Endpoint,
  repository: RepositoryName,
  request: RegistryRequest,
): Promise<HttpResponse> {
  while (endpoint.candidates.length > 1) {
    if (endpoint.settling !== undefined) {
      await endpoint.settling;
      continue;
    }
    const first = settle(parts, endpoint, repository, request);
    // Whoever waits only wants to know when it is over; if it failed, the next one tries.
    endpoint.settling = first.then(
      () => undefined,
      () => undefined,
    );
    try {
      const response = await first;
      if (response !== undefined) return await loggedIn(parts, endpoint, repository, request, response, undefined);
    } finally {
      endpoint.settling = undefined;
    }
  }
  const [base] = endpoint.candidates;
  if (base === undefined) throw new BoxwrightError('INTERNAL', `no URL for the registry ${endpoint.registry}`);
  const isOwn = resolveTarget(request.target, base, endpoint).origin === base.origin;
  const authorization = isOwn
    ? await parts.authenticator.header(base.origin, endpoint.registry, request.scopes, request.signal)
    : undefined;
  const response = await follow(parts, endpoint, request, base, authorization);
  return loggedIn(parts, endpoint, repository, request, response, authorization);
}

/**
 * Answers a 401 of the registry itself with a new header; a header that was refused is replaced twice at most (threats
 * R8): the first replacement may be a token that has been fetched for others and has just ended.
 */
async function loggedIn(
  parts: ExchangeParts,
  endpoint: Endpoint,
  repository: RepositoryName,
  request: RegistryRequest,
  first: HttpResponse,
  sent: string | undefined,
): Promise<HttpResponse> {
  let response = first;
  let refused = sent;
  // The first challenge to a request without credentials says only what is wanted: nothing was refused.
  for (let answers = sent === undefined ? -1 : 0; answers < MAX_ANSWERS; answers++) {
    const [base] = endpoint.candidates;
    // A challenge that is met elsewhere is not for us (threats R1).
    if (response.status !== 401 || base === undefined || response.url.origin !== base.origin) return response;
    const challenged = response;
    const answer = await parts.authenticator
      .answer(
        base.origin,
        endpoint.registry,
        request.scopes,
        challenged.headers('www-authenticate'),
        refused,
        request.signal,
      )
      .catch(async (error: unknown) => {
        await challenged.discard();
        throw error;
      });
    if (answer === undefined || answer === refused) return response;
    await response.discard();
    response = await follow(parts, endpoint, request, base, answer);
    refused = answer;
  }
  return response;
}

const MAX_ANSWERS = 2;

/** Sends a request and follows where it is sent to; what is not the registry's origin gets no credentials, ever. */
async function follow(
  { transport }: ExchangeParts,
  endpoint: Endpoint,
  request: RegistryRequest,
  base: URL,
  authorization: string | undefined,
): Promise<HttpResponse> {
  let url = resolveTarget(request.target, base, endpoint);
  let namer = base;
  let isOwn = url.origin === base.origin;
  for (let hop = 1; ; hop++) {
    await endpoint.pace?.turn(request.signal);
    const response = await transport.send(httpRequest(request, url, namer, isOwn, authorization));
    if (!isRedirect(response.status) || request.expect.includes(response.status)) return response;
    if (!maySendAgain(request, response.status)) return response;
    namer = url;
    try {
      url = redirectTarget(response, endpoint);
    } finally {
      await response.discard();
    }
    if (hop >= MAX_HOPS) {
      throw new BoxwrightError('REGISTRY_ANSWER_INVALID', `${base.host} sends us in circles: ${MAX_HOPS} redirects`, {
        hint: 'This does not behave like a registry: check the address, and proxies in between.',
        details: { host: base.host, transient: false },
      });
    }
    // Once away, always away: a way back would have the stranger choose what our credentials are shown to.
    isOwn &&= url.origin === base.origin;
  }
}

function httpRequest(
  request: RegistryRequest,
  url: URL,
  namer: URL,
  isOwn: boolean,
  authorization: string | undefined,
): HttpRequest {
  const { method, body, bodySize, signal } = request;
  const headers = isOwn ? { ...request.headers } : harmlessHeaders(request.headers ?? {});
  if (isOwn && authorization !== undefined) headers['authorization'] = authorization;
  return {
    method,
    url,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'function' ? body() : body }),
    ...(bodySize === undefined ? {} : { bodySize }),
    ...(signal === undefined ? {} : { signal }),
    ...(isOwn ? {} : { namedBy: namer }),
  };
}

/** 303 and, by habit, 301 and 302 turn other methods into GET: that is not what the caller wants (RFC 9110, 15.4). */
function maySendAgain({ method }: RegistryRequest, status: number): boolean {
  return method === 'GET' || method === 'HEAD' || status === 307 || status === 308;
}

/**
 * Finds out which of two base URLs answers, with the request itself where it can be sent again, and without credentials.
 *
 * @returns the answer, or undefined when another request found it out and this one has to be sent
 */
async function settle(
  parts: ExchangeParts,
  endpoint: Endpoint,
  repository: RepositoryName,
  request: RegistryRequest,
): Promise<HttpResponse | undefined> {
  const isProbe = typeof request.body === 'function' || typeof request.target !== 'string';
  const { what } = request;
  const ping: RegistryRequest = { method: 'GET', target: '/v2/', scopes: [], expect: [], what, ...signalOf(request) };
  const probe = isProbe ? ping : request;
  let failure: unknown;
  for (const base of endpoint.candidates) {
    try {
      const ask = (asked: RegistryRequest): Promise<HttpResponse> =>
        follow(parts, { ...endpoint, insecure: true }, asked, base, undefined);
      const answer = await ask(probe);
      // The answer to HEAD has no text that would say why.
      const again = probe.method === 'HEAD' ? () => ask(ping) : undefined;
      const response = base.protocol === 'http:' ? await unlessTls(answer, again) : answer;
      if (response === undefined) continue;
      const isUpgraded = response.url.protocol === 'https:' && response.url.hostname === base.hostname;
      endpoint.candidates = [isUpgraded ? new URL(response.url.origin) : base];
      if (!isProbe) return response;
      await response.discard();
      return undefined;
    } catch (error) {
      if (!mayBeOtherProtocol(error, base)) throw worse(failure, error);
      failure = worse(failure, error);
    }
  }
  throw failure ?? new BoxwrightError('REGISTRY_ANSWER_INVALID', `${endpoint.registry} answers neither HTTP nor HTTPS`);
}

/** Undefined for the answers of TLS servers to plain HTTP: Go, nginx and Apache say so in the text of a 400. */
async function unlessTls(
  response: HttpResponse,
  again?: () => Promise<HttpResponse>,
): Promise<HttpResponse | undefined> {
  if (response.status !== 400 || (response.header('content-type') ?? '').includes('json')) return response;
  if (again !== undefined) {
    const telling = await unlessTls(await again());
    await telling?.discard();
    return telling === undefined ? undefined : response;
  }
  const bytes = await readStart(response);
  return /https|ssl|tls/i.test(bytes.toString('latin1')) ? undefined : withBody(response, bytes);
}

/** A TLS server drops what is no TLS, or answers with bytes that are no HTTP; a plain one has no TLS to offer. */
function mayBeOtherProtocol(error: unknown, base: URL): boolean {
  if (!isBoxwrightError(error)) return false;
  if (error.code === 'REGISTRY_TLS') return base.protocol === 'https:' && error.details['plainHttp'] === true;
  return error.code === 'REGISTRY_CONNECTION';
}

/** Of two failures, the one that says more: an untrusted certificate more than "not HTTP", that more than "not TLS". */
function worse(first: unknown, second: unknown): unknown {
  if (first === undefined) return second;
  const isSecond = isBoxwrightError(second) && second.code === 'REGISTRY_TLS' && second.details['plainHttp'] !== true;
  return isSecond || !isBoxwrightError(first) || first.code === 'REGISTRY_TLS' ? second : first;
}

function signalOf({ signal }: RegistryRequest): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { hostOfRegistry } from '../config/registry-host.ts';
import { type RepositoryName, repositoryKey } from '../repository-name.ts';
import type { HttpResponse } from '../transport/http.ts';
import { type ErrorBody, isHtml, readErrorBody } from './error-body.ts';
import type { RegistryRequest } from './registries.ts';
import { retryAfter } from './retry-delay.ts';

/** `cannot read manifest 1.2 of localhost:5000/app`: how messages about requests begin. */
export function failedTo({ method, what }: RegistryRequest, repository: RepositoryName): string {
  const verb = method === 'GET' || method === 'HEAD' ? 'read' : method === 'DELETE' ? 'delete' : 'write';
  return `cannot ${verb} ${escapeForTerminal(what.slice(0, 300))} of ${shownName(repository)}`;
}

/** `registry/path`, or the registry when it is about no repository. */
export function shownName(repository: RepositoryName): string {
  return escapeForTerminal(repository.path === '' ? repository.registry : repositoryKey(repository));
}

/**
 * The error that an unexpected answer stands for: one sentence with host, repository, what was asked for and what the
 * registry says. Reads the body.
 *
 * @param credentials which ones were used, in words
 */
export async function answerError(
  response: HttpResponse,
  request: RegistryRequest,
  repository: RepositoryName,
  credentials: () => Promise<string>,
): Promise<BoxwrightError> {
  const body = await readErrorBody(response);
  const used = response.status === 401 || response.status === 403 ? await credentials() : '';
  const { code, why, hint, more } = meaningOf({ response, body, request, repository, used });
  const host = isOwnHost(response, repository) ? '' : ` by ${escapeForTerminal(response.url.host)}`;
  const said = body.text === '' ? '' : `: ${body.text}`;
  return new BoxwrightError(code, `${failedTo(request, repository)}: ${why} (${response.status}${host})${said}`, {
    hint,
    details: {
      registry: repository.registry,
      repository: repository.path,
      what: request.what,
      status: response.status,
      codes: body.codes,
      transient: false,
      connected: true,
      ...more,
    },
  });
}

interface Answer {
  readonly response: HttpResponse;
  readonly body: ErrorBody;
  readonly request: RegistryRequest;
  readonly repository: RepositoryName;
  /** Credentials, in words. */
  readonly used: string;
}

interface Meaning {
  readonly code: string;
  readonly why: string;
  readonly hint?: string | undefined;
  readonly more?: Readonly<Record<string, unknown>>;
}

function meaningOf(answer: Answer): Meaning {
  const { response, body, repository, used } = answer;
  const { status } = response;
  const login = `boxwright login ${repository.registry}`;
  if (status === 401) {
    const hint = `Used: ${used}. Log in with: ${login}. A repository that does not exist looks the same on many registries.`;
    return { code: 'REGISTRY_UNAUTHORIZED', why: 'the registry wants a login', hint };
  }
  if (status === 403) {
    const hint = `Used: ${used}. Ask the owner of the repository for the right to do this, or log in as another user: ${login}`;
    return { code: 'REGISTRY_DENIED', why: 'the registry does not allow it', hint };
  }
  if (status === 404) return { code: 'REGISTRY_NOT_FOUND', why: notFound(body), hint: notFoundHint(answer) };
  if (status === 429) return rateLimited(response, login);
  if (status === 408 || status === 425 || status >= 500) {
    return {
      code: 'REGISTRY_UNAVAILABLE',
      why: 'the registry has a fault',
      hint: 'Try again later, or ask who runs it.',
      // 501 and 505 say that it will never work.
      more: { transient: status !== 501 && status !== 505, retryAfterMs: retryAfter(response, Date.now()) },
    };
  }
  if (status >= 400) {
    return { code: 'REGISTRY_REFUSED', why: 'the registry refused it', hint: refusedHint(status, body) };
  }
  return { code: 'REGISTRY_ANSWER_INVALID', why: 'the registry answered with a status that has no meaning here' };
}

function rateLimited(response: HttpResponse, login: string): Meaning {
  const askedMs = retryAfter(response, Date.now());
  // A quota that is used up for hours: waiting for some seconds is of no use.
  const usedUp = askedMs === undefined && /^0(?:;|$)/.test(response.header('ratelimit-remaining') ?? '');
  return {
    code: 'REGISTRY_RATE_LIMITED',
    why: usedUp ? 'the quota of requests is used up' : 'the registry is asked too often',
    hint: `Try again later. With a login there may be more: ${login}. Or set "mirrors" or "requestsPerSecond" in registries.json.`,
    more: { transient: !usedUp, retryAfterMs: askedMs },
  };
}

function isOwnHost({ url }: HttpResponse, { registry }: RepositoryName): boolean {
  return url.hostname === URL.parse(`${url.protocol}//${hostOfRegistry(registry)}`)?.hostname;
}

/** REGISTRY_ANSWER_INVALID: a web page came with a status of success. */
export function pageError(
  response: HttpResponse,
  request: RegistryRequest,
  repository: RepositoryName,
): BoxwrightError {
  return new BoxwrightError(
    'REGISTRY_ANSWER_INVALID',
    `${failedTo(request, repository)}: ${escapeForTerminal(response.url.host)} answered with an HTML page`,
    {
      hint: 'Either it is not a registry, or something between (a login page of the network, a proxy) has answered instead.',
      details: { registry: repository.registry, repository: repository.path, what: request.what, transient: false },
    },
  );
}

/** True when a page was sent where a page cannot be meant. Blobs may be anything: their digest is checked. */
export function isUnexpectedPage(response: HttpResponse, { target }: RegistryRequest): boolean {
  if (!isHtml(response.header('content-type') ?? '')) return false;
  return response.status < 300 && !/\/blobs\/[^/]+$/.test(typeof target === 'string' ? target : target.pathname);
}

function notFound({ codes, isPage }: ErrorBody): string {
  if (isPage) return 'there is no such page, nor is it a registry, it seems';
  return codes.includes('NAME_UNKNOWN') ? 'there is no such repository' : 'it is not there';
}

function notFoundHint({ body, request, repository }: Answer): string {
  if (body.isPage || repository.path === '') return 'Check the host and port: a registry answers to /v2/ in JSON.';
  if (request.method === 'GET' || request.method === 'HEAD') {
    // What tags would answer is known by now.
    return body.codes.includes('NAME_UNKNOWN')
      ? 'Check the spelling of the repository; a private one may need boxwright login.'
      : `Check the spelling; boxwright tags ${shownName(repository)} lists what is there.`;
  }
  return 'Check the spelling; some registries want a repository to be created before something is pushed.';
}

function refusedHint(status: number, { codes }: ErrorBody): string | undefined {
  if (status === 405 || codes.includes('UNSUPPORTED')) {
    return 'This registry, or how it is set up, cannot do that: one that only mirrors others, or is read-only for maintenance, takes nothing.';
  }
  return status === 413 ? 'It is larger than the registry, or a proxy before it, takes.' : undefined;
}

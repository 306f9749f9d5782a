import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
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
  const { status } = response;
  const host = response.url.host === repository.registry ? '' : ` (${escapeForTerminal(response.url.host)})`;
  const said = body.text === '' ? '' : `: ${body.text}`;
  const make = (code: string, why: string, hint: string | undefined, more: Record<string, unknown> = {}) =>
    new BoxwrightError(code, `${failedTo(request, repository)}: ${why}${host}${said}`, {
      hint,
      details: {
        registry: repository.registry,
        repository: repository.path,
        what: request.what,
        status,
        codes: body.codes,
        transient: false,
        connected: true,
        ...more,
      },
    });
  const login = `boxwright login ${repository.registry}`;
  switch (status) {
    case 401:
      return make('REGISTRY_UNAUTHORIZED', 'the registry wants a login (401)', loginHint(await credentials(), login));
    case 403:
      return make(
        'REGISTRY_DENIED',
        'the registry does not allow it (403)',
        `Used were ${await credentials()}. Ask the owner of the repository for the right to do this, or log in as another user: ${login}`,
      );
    case 404:
      return make('REGISTRY_NOT_FOUND', notFound(body), notFoundHint(body, request, repository));
    case 429: {
      const askedMs = retryAfter(response, Date.now());
      // A quota that is used up for hours: waiting for some seconds is of no use.
      const usedUp = askedMs === undefined && /^0(?:;|$)/.test(response.header('ratelimit-remaining') ?? '');
      return make(
        'REGISTRY_RATE_LIMITED',
        usedUp ? 'the quota of requests is used up (429)' : 'the registry is asked too often (429)',
        `Try again later. With a login there may be more: ${login}. Or set "mirrors" or "requestsPerSecond" in registries.json.`,
        { transient: !usedUp, retryAfterMs: askedMs },
      );
    }
    default:
  }
  if (status === 408 || status === 425 || status >= 500) {
    return make(
      'REGISTRY_UNAVAILABLE',
      `the registry has a fault (${status})`,
      'Try again later, or ask who runs it.',
      {
        transient: status !== 501 && status !== 505,
        retryAfterMs: retryAfter(response, Date.now()),
      },
    );
  }
  if (status >= 400) return make('REGISTRY_REFUSED', `the registry refused it (${status})`, refusedHint(status, body));
  return make('REGISTRY_ANSWER_INVALID', `the registry answered with an unexpected status (${status})`, undefined);
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

function loginHint(credentials: string, login: string): string {
  return `Used were ${credentials}. Log in with: ${login}. A repository that does not exist looks the same on many registries.`;
}

function notFound({ codes, isPage }: ErrorBody): string {
  if (isPage) return 'there is no such page, nor is it a registry, it seems (404)';
  return codes.includes('NAME_UNKNOWN') ? 'there is no such repository (404)' : 'it is not there (404)';
}

function notFoundHint({ isPage }: ErrorBody, { method }: RegistryRequest, repository: RepositoryName): string {
  if (isPage || repository.path === '') return 'Check the host and port: a registry answers to /v2/ in JSON.';
  return method === 'GET' || method === 'HEAD'
    ? `Check the spelling; boxwright tags ${shownName(repository)} lists what is there.`
    : 'Check the spelling; some registries want a repository to be created before something is pushed.';
}

function refusedHint(status: number, { codes }: ErrorBody): string | undefined {
  if (status === 405 || codes.includes('UNSUPPORTED')) return 'This registry, or how it is set up, cannot do that.';
  return status === 413 ? 'It is larger than the registry, or a proxy before it, takes.' : undefined;
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { HttpResponse } from '../transport/http.ts';
import type { Endpoint } from './endpoint.ts';

/** Requests that one may become, the first one included. */
export const MAX_HOPS = 7;

/** Headers that may go to hosts which the registry names: what the request is about, nothing about who asks. */
const harmless: ReadonlySet<string> = new Set([
  'accept',
  'content-length',
  'content-range',
  'content-type',
  'if-range',
  'range',
]);

/** True for an answer that sends us elsewhere. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** Headers for a host that is not the registry's own origin (threats R1). */
export function harmlessHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.has(name)));
}

/**
 * The URL of what a registry gave (Location, Link, our own `/v2/…`). Registries behind a proxy often call themselves
 * `http://` although they are reached over HTTPS: their own host is asked over HTTPS all the same.
 *
 * @throws BoxwrightError REGISTRY_ANSWER_INVALID (no URL), REDIRECT_REFUSED (leaves HTTPS)
 */
export function resolveTarget(target: string | URL, from: URL, { insecure }: Endpoint): URL {
  const url = URL.parse(String(target), from.href);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new BoxwrightError('REGISTRY_ANSWER_INVALID', `${from.host} sends us to ${shown(target)}, which is no URL`, {
      details: { host: from.host, transient: false },
    });
  }
  url.hash = '';
  url.username = '';
  url.password = '';
  if (from.protocol !== 'https:' || url.protocol === 'https:') return url;
  if (url.hostname === from.hostname && (url.port === '' || url.port === from.port || url.port === '443')) {
    return new URL(`${from.origin}${url.pathname}${url.search}`);
  }
  if (insecure) return url;
  throw new BoxwrightError('REDIRECT_REFUSED', `${from.host} sends us from HTTPS to plain HTTP: ${shown(url.origin)}`, {
    hint: 'If that is meant, use --insecure or set "insecure": true for the registry in registries.json.',
    details: { host: from.host, transient: false },
  });
}

/** Where a redirect leads. @throws as {@link resolveTarget} */
export function redirectTarget(response: HttpResponse, endpoint: Endpoint): URL {
  const location = response.header('location');
  if (location !== undefined) return resolveTarget(location, response.url, endpoint);
  throw new BoxwrightError(
    'REGISTRY_ANSWER_INVALID',
    `${response.url.host} answered ${response.status} without saying where to go (Location)`,
    { details: { host: response.url.host, transient: false } },
  );
}

function shown(target: string | URL): string {
  const url = URL.parse(String(target));
  // Without the query: storage services put signatures there.
  return escapeForTerminal((url === null ? String(target) : `${url.origin}${url.pathname}`).slice(0, 300));
}

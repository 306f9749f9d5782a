import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { isLoopbackHost } from '../transport/address-kind.ts';

/** The realm of a Bearer challenge, and who named it. */
export interface RealmQuestion {
  readonly realm: URL;
  /** The registry's own origin. */
  readonly origin: string;
  /** The registry as references write it. */
  readonly registry: string;
}

/**
 * The URL that a challenge names as its token service, checked for what can be seen without asking the network: HTTPS,
 * unless the registry itself is plain HTTP or on this machine, and no credentials in it.
 *
 * @throws BoxwrightError REGISTRY_ANSWER_INVALID (no URL), REDIRECT_REFUSED
 */
export function parseRealm(realm: string | undefined, origin: string, registry: string): URL {
  const url = URL.parse(realm ?? '');
  const shown = escapeForTerminal((realm ?? '').slice(0, 200));
  if (url === null || realm === undefined || !/^https?:$/.test(url.protocol)) {
    throw new BoxwrightError(
      'REGISTRY_ANSWER_INVALID',
      `registry ${registry} wants a token but names no usable token service: its realm is "${shown}"`,
      {
        hint: 'The registry is not set up right: its realm must be the URL of its token service.',
        details: { registry },
      },
    );
  }
  if (url.username !== '' || url.password !== '') throw refusedRealm(url, registry, 'it holds credentials');
  const own = new URL(origin);
  const mayBePlain = own.protocol === 'http:' || isLoopbackHost(own.hostname);
  if (url.protocol === 'http:' && !mayBePlain) throw refusedRealm(url, registry, 'it is not HTTPS');
  url.hash = '';
  return url;
}

/** REDIRECT_REFUSED for a realm. The URL is named without its query. */
export function refusedRealm(realm: URL, registry: string, why: string): BoxwrightError {
  const shown = escapeForTerminal(`${realm.origin}${realm.pathname}`.slice(0, 300));
  return new BoxwrightError(
    'REDIRECT_REFUSED',
    `registry ${registry} sends its users to the token service ${shown}, which is refused: ${why}`,
    {
      hint: 'Credentials go only where it is safe. If this registry is yours, correct the realm in its configuration.',
      details: { registry, realm: `${realm.origin}${realm.pathname}` },
    },
  );
}

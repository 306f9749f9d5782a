import { isBoxwrightError } from '@boxwright/errors';
import type { RepositoryName } from '../repository-name.ts';
import type { HttpTransport } from '../transport/http.ts';
import type { Authenticator, Scope } from './authenticator.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicSecret, type CredentialStore, describeCredential, type FoundCredential } from './credential.ts';
import { keyText } from './credential-key.ts';
import { isOwnOrigin } from './own-origin.ts';
import { parseRealm, type RealmQuestion } from './realm.ts';
import { scopeTexts } from './scopes.ts';
import { TokenCache } from './token-cache.ts';

/** What an {@link Authenticator} is made of. */
export interface AuthenticatorOptions {
  readonly transport: HttpTransport;
  readonly credentials: CredentialStore;
  /**
   * Throws when a realm must not be asked: addresses of this machine or a private network for a public registry. That it
   * is HTTPS has been checked.
   */
  readonly allowRealm?: (question: RealmQuestion, signal?: AbortSignal) => void | Promise<void>;
}

/** A token service's no. */
const refusals: ReadonlySet<string> = new Set(['REGISTRY_UNAUTHORIZED', 'REGISTRY_DENIED', 'REGISTRY_REFUSED']);

/** How an origin wants to be spoken to: what its last 401 said. */
type Demand =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined };

/** The authenticator of a run: Basic and Bearer, with credentials looked up when they are first asked for. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { credentials, allowRealm } = options;
  const demands = new Map<string, Demand>();
  const tokens = new TokenCache(options.transport);

  const lookup = (registry: string, scopes: readonly Scope[], signal?: AbortSignal) =>
    credentials.lookup({ registry, path: scopes[0]?.repository.path ?? '' }, signal);

  const header: Authenticator['header'] = async (origin, registry, scopes, signal) => {
    const demand = demands.get(demandKey(origin, registry));
    if (demand === undefined) return undefined;
    if (demand.kind === 'bearer') {
      const known = tokens.find(origin, registry, scopes);
      if (known !== undefined) return known;
    }
    const found = await lookup(registry, scopes, signal);
    if (demand.kind === 'basic') return basicHeader(found);
    if (found?.credential.kind === 'registry-token') return bearerHeader(found.credential.registryToken.reveal());
    const { realm, service } = demand;
    const texts = scopeTexts(scopes, undefined);
    try {
      return await tokens.renew({ origin, registry, scopes, texts, realm, service, found, signal });
    } catch (error) {
      // Nobody has asked for it yet: what is public may need no token, and else the registry's 401 says what it wants.
      if (isBoxwrightError(error) && refusals.has(error.code)) return undefined;
      throw error;
    }
  };

  const answer: Authenticator['answer'] = async (origin, registry, scopes, challenges, refused, signal) => {
    // Whoever follows a redirect away from the registry, or asks a mirror under another's name, has no credentials.
    if (!isOwnOrigin(origin, registry)) return undefined;
    const challenge = choose(parseChallenges(challenges));
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') {
      demands.set(demandKey(origin, registry), { kind: 'basic' });
      const basic = basicHeader(await lookup(registry, scopes, signal));
      return basic === refused ? undefined : basic;
    }
    const realm = parseRealm(challenge.parameters.get('realm'), origin, registry);
    await allowRealm?.({ realm, origin, registry }, signal);
    const service = challenge.parameters.get('service');
    demands.set(demandKey(origin, registry), { kind: 'bearer', realm, service });
    const found = await lookup(registry, scopes, signal);
    if (found?.credential.kind === 'registry-token') {
      const own = bearerHeader(found.credential.registryToken.reveal());
      return own === refused ? undefined : own;
    }
    const texts = scopeTexts(scopes, challenge.parameters.get('scope'));
    return tokens.replace({ origin, registry, scopes, texts, realm, service, found, signal }, refused);
  };

  return { header, answer, describe: (repository) => describe(credentials, repository) };
}

/** Bearer before Basic, as Docker; a scheme that we do not know is none. */
function choose(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
}

function basicHeader(found: FoundCredential | undefined): string | undefined {
  return found?.credential.kind === 'password' ? `Basic ${basicSecret(found.credential).reveal()}` : undefined;
}

function bearerHeader(token: string): string {
  return `Bearer ${token}`;
}

function demandKey(origin: string, registry: string): string {
  return `${origin} ${registry}`;
}

/** Never throws: it is asked while errors are put into words. */
async function describe(credentials: CredentialStore, repository: RepositoryName): Promise<string> {
  let found: FoundCredential | undefined;
  try {
    found = await credentials.lookup(repository);
  } catch (error) {
    return `no credentials (${error instanceof Error ? error.message : String(error)})`;
  }
  if (found === undefined) return `no credentials for ${keyText(repository)}`;
  return `${describeCredential(found.credential)}, from ${found.origin}`;
}

import type { RepositoryName } from '../repository-name.ts';
import { Secret } from './secret.ts';

/** What a registry or its token service takes as proof. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  /** An OAuth2 refresh token, to be exchanged at the token service; the password `<token>` of credential helpers. */
  | { readonly kind: 'identity-token'; readonly identityToken: Secret }
  /** A bearer token that the registry itself takes: `registrytoken` of Docker's config.json. */
  | { readonly kind: 'registry-token'; readonly registryToken: Secret };

/** A credential and where it comes from. */
export interface FoundCredential {
  readonly credential: Credential;
  /** In words, without a secret: `auths["ghcr.io"] of /home/me/.docker/config.json`. */
  readonly origin: string;
}

/** An entry or helper that was asked for a repository's credential, in order; the last one may be the one that had it. */
export interface LookedAt {
  readonly place: string;
  readonly result: 'used' | 'nothing' | 'helper not installed';
}

/** A file (or variable) that may hold credentials. `unreadable`: it belongs to somebody else. */
export interface CredentialFile {
  readonly name: string;
  readonly state: 'read' | 'missing' | 'unreadable';
}

/** How the credential of a repository was chosen. */
export interface CredentialExplanation {
  readonly found: FoundCredential | undefined;
  /** What could have had it, the best first. */
  readonly looked: readonly LookedAt[];
  /** Where entries and names of helpers are read from, in order. */
  readonly files: readonly CredentialFile[];
}

/** Where credentials come from. */
export interface CredentialStore {
  /**
   * What the repository gets; an empty path asks for the registry as a whole.
   *
   * @throws BoxwrightError CREDENTIALS_INVALID (a file is not as it should be), CREDENTIAL_HELPER_FAILED
   */
  lookup(repository: RepositoryName, signal?: AbortSignal): Promise<FoundCredential | undefined>;
  /** The same with the way there, for `login --explain`. Throws like lookup. */
  explain(repository: RepositoryName, signal?: AbortSignal): Promise<CredentialExplanation>;
}

/** One credential for whoever asks, for trying it out before it is stored. */
export function fixedCredential(credential: Credential | undefined, origin: string): CredentialStore {
  const found = credential === undefined ? undefined : { credential, origin };
  return {
    lookup: () => Promise.resolve(found),
    explain: () =>
      Promise.resolve({ found, looked: [{ place: origin, result: found ? 'used' : 'nothing' }], files: [] }),
  };
}

/** `user me` or `an identity token`: what may be shown of a credential. */
export function describeCredential(credential: Credential): string {
  switch (credential.kind) {
    case 'password':
      return `user ${credential.username}`;
    case 'identity-token':
      return 'an identity token';
    case 'registry-token':
      return 'a registry token';
    default:
      return credential satisfies never;
  }
}

/** Every secret of a credential, in all the forms it is sent in: for `redact`. */
export function secretsOf(credential: Credential | undefined): readonly Secret[] {
  if (credential === undefined) return [];
  switch (credential.kind) {
    case 'password':
      return [credential.password, basicSecret(credential)];
    case 'identity-token':
      return [credential.identityToken];
    case 'registry-token':
      return [credential.registryToken];
    default:
      return credential satisfies never;
  }
}

/** `user:password` in base64: RFC 7617. */
export function basicSecret({ username, password }: Extract<Credential, { kind: 'password' }>): Secret {
  return new Secret(Buffer.from(`${username}:${password.reveal()}`).toString('base64'));
}

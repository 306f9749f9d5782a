import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import type { RepositoryName } from '../repository-name.ts';
import type { CredentialEnvironment } from './auth-file-paths.ts';
import { type Credential, type CredentialStore, describeCredential, fixedCredential } from './credential.ts';
import { keyText } from './credential-key.ts';
import { credentialStore } from './credential-store.ts';
import { removeCredential, type SavedCredential, saveCredential } from './save-credential.ts';

/** What {@link login} needs. */
export interface LoginOptions extends CredentialEnvironment {
  /** A registry, with an empty path, or a namespace or repository of it. */
  readonly scope: RepositoryName;
  readonly credential: Credential;
  /** Asks the registry with nothing but this credential; throws when it is not accepted. */
  readonly check: (credentials: CredentialStore) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** What became of a login. */
export interface LoginResult extends SavedCredential {
  /** False when the registry answered without asking for credentials: they may be wrong. */
  readonly isChecked: boolean;
  /** Something else that comes before what was stored, in words: it will be used instead. */
  readonly shadowedBy: string | undefined;
}

/**
 * Tries a credential at the registry, then stores it; nothing is stored when the registry refuses it.
 *
 * @throws BoxwrightError those of `check`, and CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED
 */
export async function login(options: LoginOptions): Promise<LoginResult> {
  const { scope, credential, signal } = options;
  const fixed = fixedCredential(credential, 'what was entered');
  let isChecked = false;
  try {
    await options.check({
      ...fixed,
      lookup: (repository, end) => {
        isChecked = true;
        return fixed.lookup(repository, end);
      },
    });
  } catch (error) {
    throw refusedLogin(error, options);
  }
  const saved = await saveCredential(options, scope, credential, signal);
  const used = await credentialStore(options).lookup(scope, signal);
  const isUsed = used !== undefined && used.origin.includes(saved.place);
  return { ...saved, isChecked, shadowedBy: isUsed ? undefined : used?.origin };
}

/** The registry's no in the words of somebody who is logging in. */
function refusedLogin(error: unknown, { scope, credential }: LoginOptions): unknown {
  if (!isBoxwrightError(error) || error.code !== 'REGISTRY_UNAUTHORIZED') return error;
  const name = escapeForTerminal(keyText(scope));
  const who = escapeForTerminal(describeCredential(credential));
  return new BoxwrightError('REGISTRY_UNAUTHORIZED', `${name} does not accept ${who}: ${error.message}`, {
    hint: 'Check name and password. Many registries want an access token in place of the password.',
    cause: error,
    details: error.details,
  });
}

/** What {@link logout} needs. */
export interface LogoutOptions extends CredentialEnvironment {
  readonly scope: RepositoryName;
  readonly signal?: AbortSignal | undefined;
}

/** What became of a logout. */
export interface LogoutResult {
  /** Where credentials were removed, in words; empty when there were none. */
  readonly removedFrom: readonly string[];
  /** What the scope still gets, in words: a broader entry, or a variable. */
  readonly remaining: string | undefined;
}

/** Removes the credentials of a scope from files and helpers. @throws BoxwrightError CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED */
export async function logout(options: LogoutOptions): Promise<LogoutResult> {
  const removedFrom = await removeCredential(options, options.scope, options.signal);
  const rest = await credentialStore(options).lookup(options.scope, options.signal);
  return { removedFrom, remaining: rest?.origin };
}

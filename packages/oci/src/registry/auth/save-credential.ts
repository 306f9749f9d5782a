import { escapeForTerminal } from '@boxwright/errors';
import type { JsonValue } from '../../documents/json.ts';
import type { RepositoryName } from '../repository-name.ts';
import { type AuthFile, parseAuthFile } from './auth-file.ts';
import {
  type AuthFilePath,
  authFilePaths,
  type CredentialEnvironment,
  containersConfigPath,
  dockerConfigPath,
} from './auth-file-paths.ts';
import { basicSecret, type Credential } from './credential.ts';
import { helperFor } from './credential-candidates.ts';
import { eraseFromHelper, getFromHelper, storeInHelper } from './credential-helper.ts';
import { dockerKey, isDockerHub, keyText, parseCredentialKey } from './credential-key.ts';
import { editAuths } from './edit-auth-file.ts';
import { readAuthFile } from './read-auth-file.ts';

/** Where a credential was put. */
export interface SavedCredential {
  /** In words: the file, or the helper and who named it. */
  readonly place: string;
  /** True when the secret stands in a file as it is. */
  readonly isPlain: boolean;
}

/**
 * Keeps a credential where Docker, or for one repository or namespace the containers tools, look for it: in the helper that
 * is configured, else in the file. Docker knows no credentials of namespaces and would take them for the whole registry's,
 * so these go to auth.json: containers-auth.json(5).
 *
 * @param scope a registry, with an empty path, or a namespace or repository of it
 * @throws BoxwrightError CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED; errors of the file system
 */
export async function saveCredential(
  environment: CredentialEnvironment,
  scope: RepositoryName,
  credential: Credential,
  signal?: AbortSignal,
): Promise<SavedCredential> {
  const { path, kind } = fileFor(environment, scope);
  const file = readIfThere(path);
  const key = kind === 'docker' ? dockerKey(scope.registry) : keyText(hubNamed(scope));
  const named = file === undefined || scope.path !== '' ? undefined : helperFor(file, scope);
  if (named === undefined) {
    editAuths(path, (auths) => {
      auths.set(key, entryOf(credential));
      return true;
    });
    return { place: escapeForTerminal(path), isPlain: true };
  }
  await storeInHelper(named.server, credential, { name: named.helper, environment, signal });
  // As Docker does it: the empty entry says that there is something, and no password stays beside the helper's.
  editAuths(path, (auths) => {
    auths.set(key, new Map());
    return true;
  });
  return { place: named.place, isPlain: false };
}

/**
 * Removes what is kept for exactly this scope from every file and the helpers they name.
 *
 * @returns the places that had it, in words
 * @throws BoxwrightError CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED; errors of the file system
 */
export async function removeCredential(
  environment: CredentialEnvironment,
  scope: RepositoryName,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const places: string[] = [];
  for (const { path } of authFilePaths(environment)) {
    const file = readIfThere(path);
    if (file === undefined) continue;
    const named = scope.path === '' ? helperFor(file, scope) : undefined;
    if (named !== undefined) {
      const options = { name: named.helper, environment, signal };
      const isThere = named.isNamed || (await getFromHelper(named.server, options)) !== 'not-installed';
      if (isThere && (await eraseFromHelper(named.server, options))) places.push(named.place);
    }
    const isWritten = editAuths(path, (auths) => removeKeys(auths, scope));
    if (isWritten) places.push(escapeForTerminal(path));
  }
  return places;
}

function removeKeys(auths: Map<string, JsonValue>, scope: RepositoryName): boolean {
  const wanted = keyText(hubNamed(scope));
  const keys = [...auths.keys()].filter((key) => keyText(parseCredentialKey(key)) === wanted);
  for (const key of keys) auths.delete(key);
  return keys.length > 0;
}

function fileFor(environment: CredentialEnvironment, { path }: RepositoryName): AuthFilePath {
  const [first] = authFilePaths(environment);
  if (environment.env['REGISTRY_AUTH_FILE'] && first !== undefined) return first;
  return path === '' ? dockerConfigPath(environment) : containersConfigPath(environment);
}

function readIfThere(path: string): AuthFile | undefined {
  const bytes = readAuthFile(path);
  return Buffer.isBuffer(bytes) ? parseAuthFile(bytes, path) : undefined;
}

function hubNamed({ registry, path }: RepositoryName): RepositoryName {
  return { registry: isDockerHub(registry) ? 'docker.io' : registry.toLowerCase(), path };
}

function entryOf(credential: Credential): JsonValue {
  switch (credential.kind) {
    case 'password':
      return new Map([['auth', basicSecret(credential).reveal()]]);
    case 'identity-token':
      return new Map([['identitytoken', credential.identityToken.reveal()]]);
    case 'registry-token':
      return new Map([['registrytoken', credential.registryToken.reveal()]]);
    default:
      return credential satisfies never;
  }
}

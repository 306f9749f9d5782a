import type { Credential, CredentialStore } from '@boxwright/oci';

/** What the Engine API calls a server: Docker Hub has a name of its own. */
export function serverAddress(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

/** The value of `X-Registry-Auth` for a registry; the engine wants one, even an empty one. */
export async function registryAuth(
  credentials: CredentialStore,
  repository: { readonly registry: string; readonly path: string },
  signal?: AbortSignal,
): Promise<string> {
  const found = await credentials.lookup(repository, signal);
  return encoded(found === undefined ? {} : authConfig(found.credential, repository.registry));
}

/** The value of `X-Registry-Config`: credentials of all registries that a build of the classic builder may need. */
export async function registryConfig(
  credentials: CredentialStore,
  registries: Iterable<string>,
  signal?: AbortSignal,
): Promise<string> {
  const configs: [string, unknown][] = [];
  for (const registry of registries) {
    const found = await credentials.lookup({ registry, path: '' }, signal);
    if (found !== undefined) configs.push([serverAddress(registry), authConfig(found.credential, registry)]);
  }
  return encoded(Object.fromEntries(configs));
}

/** AuthConfig of the Engine API. */
export function authConfig(credential: Credential, registry: string): Readonly<Record<string, string>> {
  const serveraddress = serverAddress(registry);
  switch (credential.kind) {
    case 'password':
      return { username: credential.username, password: credential.password.reveal(), serveraddress };
    case 'identity-token':
      return { identitytoken: credential.identityToken.reveal(), serveraddress };
    case 'registry-token':
      return { registrytoken: credential.registryToken.reveal(), serveraddress };
    default:
      return credential satisfies never;
  }
}

/** base64url with padding: what the engine decodes. */
function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

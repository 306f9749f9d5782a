import { type Authenticator, type CredentialStore, createAuthenticator, credentialStore } from './auth/index.ts';
import { openRepository, type Repository } from './client/index.ts';
import { readRegistriesConfig, registryOfHost, settingsOf, tlsFromConfig, withInsecure } from './config/index.ts';
import { type RepositoryName, repositoryKey } from './repository-name.ts';
import { openRegistries, type Registries, type RegistryEvent } from './session/index.ts';
import { createTransport } from './transport/index.ts';

/** What {@link openRegistryAccess} needs. */
export interface RegistryAccessOptions {
  /** Environment: where configuration and credentials are, proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home directory of the user whose credentials are used. */
  readonly home: string;
  /** Default: what is stored for this user (`credentialStore`). */
  readonly credentials?: CredentialStore;
  /** Plain HTTP and any certificate are taken: from all registries, or from those named (`host[:port]`). */
  readonly insecure?: boolean | readonly string[];
  readonly onEvent?: (event: RegistryEvent) => void;
  /** Where interrupted uploads are written down, so that a later process can go on with them. */
  readonly journalDirectory?: string;
  /** Ends everything that goes on. */
  readonly signal?: AbortSignal;
}

/** All registries, with the configuration and the credentials of one user. */
export interface RegistryAccess {
  readonly registries: Registries;
  readonly authenticator: Authenticator;
  readonly journalDirectory: string | undefined;
  /** The same object for the same name: what is learned about a repository is kept with it. */
  repository(name: RepositoryName): Repository;
  /** Ends idle connections, so that the process can end. */
  close(): void;
}

/**
 * Access with the configuration (`registries.json`, `certs.d`), the proxies and the credentials of a user. Reads the
 * configuration; credentials and certificates are read when a registry asks for them, and nothing is connected to yet.
 *
 * @throws BoxwrightError REGISTRY_CONFIG_INVALID
 */
export function openRegistryAccess(options: RegistryAccessOptions): RegistryAccess {
  const { env, home, insecure = false, onEvent, journalDirectory, signal } = options;
  const location = { env, home };
  const { credentials = credentialStore(location) } = options;
  const config = withInsecure(readRegistriesConfig(location), insecure);
  const transport = createTransport({
    env,
    tls: tlsFromConfig(config, location),
    isTrustedNamer: (url) => settingsOf(config, registryOfHost(url.host)).privateRedirects,
  });
  const authenticator = createAuthenticator({ transport, credentials });
  const registries = openRegistries({
    transport,
    authenticator,
    config,
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(signal === undefined ? {} : { signal }),
  });
  return registryAccess({ registries, authenticator, journalDirectory });
}

/** What {@link registryAccess} puts together. */
export interface RegistryAccessParts {
  readonly registries: Registries;
  readonly authenticator: Authenticator;
  readonly journalDirectory?: string | undefined;
}

/** Access by parts that the caller has made: for tests, and for other ways of authentication. */
export function registryAccess({ registries, authenticator, journalDirectory }: RegistryAccessParts): RegistryAccess {
  const repositories = new Map<string, Repository>();
  return {
    registries,
    authenticator,
    journalDirectory,
    repository: (name) => {
      const key = repositoryKey(name);
      const known = repositories.get(key);
      if (known !== undefined) return known;
      const repository = openRepository(registries, name);
      repositories.set(key, repository);
      return repository;
    },
    close: () => registries.close(),
  };
}

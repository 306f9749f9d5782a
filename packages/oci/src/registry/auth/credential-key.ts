import type { RepositoryName } from '../repository-name.ts';

/** Docker Hub's key in Docker's config.json, and the server that its credential helpers know it by. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

const DOCKER_HUB = 'docker.io';
const hubHosts: readonly string[] = [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'];

/**
 * What a key of `auths` or `credHelpers` stands for: `host`, `host/path`, and in old files URLs and `host/v1/`, which
 * stand for the host. Names of Docker Hub become `docker.io`.
 */
export function parseCredentialKey(key: string): RepositoryName {
  const stripped = key.replace(/^https?:\/\//i, '');
  const hasScheme = stripped !== key;
  const slash = stripped.indexOf('/');
  const host = (slash < 0 ? stripped : stripped.slice(0, slash)).toLowerCase();
  const path = slash < 0 ? '' : stripped.slice(slash + 1).replace(/\/+$/, '');
  const registry = hubHosts.includes(host) ? DOCKER_HUB : host;
  return { registry, path: hasScheme || path === 'v1' || path === 'v2' ? '' : path };
}

/** True for Docker Hub under any of its names. */
export function isDockerHub(registry: string): boolean {
  return hubHosts.includes(registry.toLowerCase());
}

/** The key that Docker writes for a registry. */
export function dockerKey(registry: string): string {
  return isDockerHub(registry) ? DOCKER_HUB_KEY : registry;
}

/** `host/path`, or `host` for a whole registry. */
export function keyText({ registry, path }: RepositoryName): string {
  return path === '' ? registry : `${registry}/${path}`;
}

/** How specific a key is for a repository: the length of its path, 0 for the whole registry, undefined when it is another's. */
export function keyMatch(key: RepositoryName, repository: RepositoryName): number | undefined {
  const registry = isDockerHub(repository.registry) ? DOCKER_HUB : repository.registry.toLowerCase();
  if (key.registry !== registry) return undefined;
  if (key.path === '' || key.path === repository.path) return key.path.length;
  return repository.path.startsWith(`${key.path}/`) ? key.path.length : undefined;
}

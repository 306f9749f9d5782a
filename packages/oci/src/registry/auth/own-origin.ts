import { isDockerHub } from './credential-key.ts';

/** The host that serves the API of Docker Hub, whose name in references is another one. */
const HUB_API = 'registry-1.docker.io';

/**
 * True when `origin` is the registry itself, so that it may have the registry's credentials (threats R1: they belong to
 * scheme, host and port).
 */
export function isOwnOrigin(origin: string, registry: string): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  // Parsed with the same scheme, so that a default port is the same as none.
  const host = URL.parse(`${url.protocol}//${isDockerHub(registry) ? HUB_API : registry}`)?.host;
  return host !== undefined && host === url.host;
}

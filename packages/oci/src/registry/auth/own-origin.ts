import { hostOfRegistry } from '../config/registry-host.ts';

/**
 * True when `origin` is the registry itself, so that it may have the registry's credentials (threats R1: they belong to
 * scheme, host and port).
 */
export function isOwnOrigin(origin: string, registry: string): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  // Parsed with the same scheme, so that a default port is the same as none.
  const host = URL.parse(`${url.protocol}//${hostOfRegistry(registry)}`)?.host;
  return host !== undefined && host === url.host;
}

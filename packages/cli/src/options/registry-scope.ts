import { UsageError } from '@boxwright/errors';
import { parseReference, type RepositoryName } from '@boxwright/oci';

/** A text that begins with a registry: the rule of references, where any other word is a part of Docker Hub. */
const hostLike = /^(?:localhost|[^/]*[.:][^/]*)(?:\/|$)/i;

/**
 * What one logs in to: a registry, or a namespace or repository of one. URLs are taken too, as `docker login` does; nothing
 * means Docker Hub.
 *
 * @throws UsageError, BoxwrightError REFERENCE_INVALID
 */
export function parseRegistryScope(text: string): RepositoryName {
  const bare = text.replace(/^(?:https?|docker):\/\//i, '').replace(/(?:\/v[12])?\/*$/, '');
  if (!hostLike.test(bare)) {
    throw new UsageError(`${text} is not a registry`, {
      hint: 'A registry is a host with a dot or a port in it, example.com or example:5000. Leave it out for Docker Hub.',
    });
  }
  const slash = bare.indexOf('/');
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  const path = slash < 0 ? '' : bare.slice(slash + 1);
  const reference = parseReference(`${host}/${path === '' ? 'any' : path}`);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    throw new UsageError(`${text} names one image`, { hint: 'Log in to a registry, a namespace or a repository.' });
  }
  // parseReference completes the names of Docker Hub (library/); a namespace is meant as it is written.
  return { registry: reference.domain, path };
}

/** What `--explain` is about: an image or repository, or a whole registry where only a host is written. */
export function parseExplained(text: string): RepositoryName {
  const bare = text.replace(/^docker:\/\//, '');
  const isHost = /^(?:localhost|[^/:]+\.[^/:]+|\[[0-9a-f:]+\])(?::\d+)?\/?$/i.test(bare);
  if (isHost) return parseRegistryScope(bare);
  const { domain, path } = parseReference(bare);
  return { registry: domain, path };
}

import type { Digest } from '../names/digest.ts';
import type { RepositoryName } from '../registry/repository-name.ts';
import type { ImageStore } from '../store/store.ts';

/** Repositories that are kept per blob, the last one first. */
const kept = 3;

/**
 * Repositories in which a blob of the store was seen: it came from there or went there, so that other repositories of
 * the same registry may mount it. A hint, which may be out of date.
 */
export function repositoriesOf(store: ImageStore, digest: Digest): readonly RepositoryName[] {
  const value = store.cache.get(keyOf(digest))?.value;
  return Array.isArray(value) ? value.flatMap(repositoryIn).slice(0, kept) : [];
}

/** Notes that a repository has the blob. Lasts as long as the build cache keeps it. */
export function noteRepository(store: ImageStore, digest: Digest, { registry, path }: RepositoryName): void {
  const known = repositoriesOf(store, digest);
  const [last] = known;
  if (last?.registry === registry && last.path === path) return;
  const others = known.filter((other) => other.registry !== registry || other.path !== path);
  const repositories = [{ registry, path }, ...others].slice(0, kept).map((one) => ({ ...one }));
  store.cache.put(keyOf(digest), repositories, { blobs: [] });
}

function keyOf(digest: Digest): string {
  return `repositories of ${digest}`;
}

/** As it was written; anything else is no repository. */
function repositoryIn(value: unknown): RepositoryName[] {
  if (typeof value !== 'object' || value === null || !('registry' in value) || !('path' in value)) return [];
  const { registry, path } = value;
  return typeof registry === 'string' && typeof path === 'string' ? [{ registry, path }] : [];
}

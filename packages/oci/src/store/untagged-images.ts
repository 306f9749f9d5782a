import type { Descriptor } from '../documents/descriptor.ts';
import { type Digest, isDigest } from '../names/digest.ts';
import type { ImageStore } from './store.ts';

/**
 * Remembers which manifest has an image id, for images without a name: the id is the digest of the config, which does
 * not lead to its manifest. Lasts as long as the build cache keeps it.
 */
export function rememberUntagged(store: ImageStore, id: Digest, descriptor: Descriptor): void {
  const { mediaType, digest, size } = descriptor;
  const { layers } = store.image(descriptor).manifest();
  const blobs = [digest, id, ...layers.map((layer) => layer.digest)];
  store.cache.put(keyOf(id), { mediaType, digest, size }, { blobs });
}

/** The manifest of an image id that {@link rememberUntagged} was given, if all of it is still there. */
export function findUntagged(store: ImageStore, id: Digest): Descriptor | undefined {
  const value = store.cache.get(keyOf(id))?.value;
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [mediaType, digest, size] = [fields.get('mediaType'), fields.get('digest'), fields.get('size')];
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof size !== 'number') return undefined;
  return isDigest(digest) ? { mediaType, digest, size } : undefined;
}

function keyOf(id: Digest): string {
  return `image ${id}`;
}

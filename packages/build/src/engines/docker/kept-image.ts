import type { Digest, EngineClient } from '@boxwright/oci';
import { digestIn } from '../digest-in.ts';

/** What an image consists of, as far as an engine says. */
export interface KeptImage {
  /** Of engines with containerd's image store, which keep manifests and call images by them. */
  readonly manifest?: Digest;
  /** Newer engines with that store say it of images that they have built. */
  readonly config?: Digest;
}

/**
 * Asks an engine what it keeps of an image.
 *
 * @param imageId what the engine calls it
 * @throws BoxwrightError those of the client
 */
export async function keptImage(client: EngineClient, imageId: Digest, signal?: AbortSignal): Promise<KeptImage> {
  const response = await client.request({ method: 'GET', path: `/images/${imageId}/json`, signal });
  const descriptor = field(await response.json(), 'Descriptor');
  const manifest = digestIn(field(descriptor, 'digest'));
  if (manifest === undefined) return { config: imageId };
  const config = digestIn(field(field(descriptor, 'annotations'), 'config.digest'));
  return { manifest, ...(config === undefined ? {} : { config }) };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

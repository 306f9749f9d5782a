import { type Descriptor, type ImageSource, openSource, parseImageLocation, storeSource } from '@boxwright/oci';
import type { CommandPlaces } from '../command-places.ts';

/**
 * Where an image's content is read from: the store, also for an image of another place, when it has all that is wanted;
 * else that place.
 *
 * @param name what the image was opened by
 * @throws BoxwrightError as opening the place
 */
export async function contentSource(
  name: string,
  wanted: readonly Descriptor[],
  places: CommandPlaces,
): Promise<{ readonly source: ImageSource; readonly close: () => Promise<void> }> {
  const here = storeSource(places.store());
  const present = await Promise.all(wanted.map((descriptor) => here.has(descriptor)));
  if (present.every((has) => has)) return { source: here, close: async () => {} };
  const location = parseImageLocation(name);
  // A bare name that the store lacks was found in its registry.
  const there = location.transport === 'store' ? ({ transport: 'docker', reference: name } as const) : location;
  return await openSource(there, places, { read: true });
}

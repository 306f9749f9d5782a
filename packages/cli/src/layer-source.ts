import { BoxwrightError } from '@boxwright/errors';
import {
  type Digest,
  type ImageLayer,
  type ImageManifest,
  type ImageSource,
  openSource,
  parseImageLocation,
  storeSource,
} from '@boxwright/oci';
import type { CommandPlaces } from './command-places.ts';

/** A place to read layers from. */
export interface LayerSource {
  readonly source: ImageSource;
  readonly close: () => Promise<void>;
}

/**
 * The layers of an image with their diffIDs, base first. None when manifest and config disagree about their number: no
 * layer can be told to be the one of a diffID.
 */
export function imageLayers({ layers }: Pick<ImageManifest, 'layers'>, diffIds: readonly Digest[]): ImageLayer[] {
  if (layers.length !== diffIds.length) return [];
  return layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ descriptor, diffId }];
  });
}

/**
 * As {@link imageLayers}, for who has to read them.
 *
 * @param image digest of the manifest, for the message
 * @throws BoxwrightError IMAGE_INVALID when manifest and config disagree about the number of layers
 */
export function readableLayers(
  image: Digest,
  manifest: Pick<ImageManifest, 'layers'>,
  diffIds: readonly Digest[],
): ImageLayer[] {
  const { length } = manifest.layers;
  if (length === diffIds.length) return imageLayers(manifest, diffIds);
  throw new BoxwrightError(
    'IMAGE_INVALID',
    `image ${image} has ${length} layers, but its config names ${diffIds.length}`,
    { hint: 'history and inspect show its documents without reading layers' },
  );
}

/**
 * Where the layers of an image are read from: the store, also for an image of another place, when it has all of them;
 * else that place.
 *
 * @param name what the image was opened by
 */
export async function openLayerSource(
  name: string,
  layers: readonly ImageLayer[],
  places: CommandPlaces,
): Promise<LayerSource> {
  const here = storeSource(places.store());
  const present = await Promise.all(layers.map(({ descriptor }) => here.has(descriptor)));
  if (present.every((has) => has)) return { source: here, close: async () => {} };
  const location = parseImageLocation(name);
  // A bare name that the store lacks was found in its registry.
  const there = location.transport === 'store' ? ({ transport: 'docker', reference: name } as const) : location;
  return await openSource(there, places, { read: true });
}

import { buildPage, type ImagePage, LayerReadings, type TimeZone } from '@boxwright/inspect';
import {
  familiarName,
  type ImageLayer,
  type ImageManifest,
  type ImageSource,
  openSource,
  parseImageLocation,
  storeSource,
  withDigest,
} from '@boxwright/oci';
import type { CommandPlaces } from './command-places.ts';
import type { ShownImage } from './shown-image.ts';

/** How {@link pageOf} makes a page. */
export interface PageOfOptions {
  readonly timeZone: TimeZone;
  /** Read the layers that no earlier look has read: their sizes as Docker counts them are not known otherwise. */
  readonly readLayers: boolean;
}

/**
 * The page of an image at any place. Layers are streamed, not kept; their sizes are, in the store.
 *
 * @param name what `image` was opened by
 * @throws BoxwrightError as reading the image and its layers; the signal's reason
 */
export async function pageOf(
  name: string,
  image: ShownImage,
  places: CommandPlaces,
  options: PageOfOptions,
): Promise<ImagePage> {
  const { descriptor, references, lastTagTime } = image;
  const read = await image.read();
  const config = await read.config();
  const layers = layersOf(read.manifest, config.rootfs.diffIds);
  return buildPage(
    {
      digest: read.descriptor.digest,
      manifest: read.manifest,
      config,
      descriptor,
      repoTags: references.filter(({ tag }) => tag !== undefined).map(familiarName),
      repoDigests: [...new Set(references.map((reference) => familiarName(withDigest(reference, descriptor.digest))))],
      layerSizes: await sizesOf(name, layers, places, options.readLayers),
      ...(lastTagTime === undefined ? {} : { lastTagTime }),
    },
    { timeZone: options.timeZone },
  );
}

/** None when manifest and config disagree: no layer can be told to be the one of a diffID, and the page says so. */
function layersOf({ layers }: ImageManifest, diffIds: readonly ImageLayer['diffId'][]): ImageLayer[] {
  if (layers.length !== diffIds.length) return [];
  return layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ descriptor, diffId }];
  });
}

async function sizesOf(
  name: string,
  layers: readonly ImageLayer[],
  places: CommandPlaces,
  readLayers: boolean,
): Promise<readonly (number | undefined)[]> {
  const store = places.store();
  const here = storeSource(store);
  const known = new LayerReadings(store, here);
  const unknown = layers.filter((layer) => known.known(layer) === undefined);
  if (!readLayers || unknown.length === 0) return layers.map((layer) => known.known(layer)?.size);
  const { source, close } = await layerSource(name, unknown, here, places);
  try {
    const readings = new LayerReadings(store, source, { signal: places.signal });
    const sizes: number[] = [];
    for (const layer of layers) sizes.push((await readings.facts(layer)).size);
    return sizes;
  } finally {
    await close();
  }
}

/** The store, also for an image of another place, when it has all layers; else that place. */
async function layerSource(
  name: string,
  layers: readonly ImageLayer[],
  here: ImageSource,
  places: CommandPlaces,
): Promise<{ readonly source: ImageSource; readonly close: () => Promise<void> }> {
  const present = await Promise.all(layers.map(({ descriptor }) => here.has(descriptor)));
  const location = parseImageLocation(name);
  if (present.every((has) => has)) return { source: here, close: async () => {} };
  // A bare name that the store lacks was found in its registry.
  const there = location.transport === 'store' ? ({ transport: 'docker', reference: name } as const) : location;
  return await openSource(there, places, { read: true });
}

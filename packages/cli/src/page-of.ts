import {
  buildPage,
  findSecretFiles,
  type ImagePage,
  knownSecretFiles,
  LayerReadings,
  type PageSource,
  type SecretFinding,
  type TimeZone,
} from '@boxwright/inspect';
import { familiarName, type ImageLayer, storeSource, withDigest } from '@boxwright/oci';
import type { CommandPlaces } from './command-places.ts';
import { imageLayers, openLayerSource } from './layer-source.ts';
import type { ShownImage } from './shown-image.ts';
import { keepHeapSmall } from './small-heap.ts';

/** How {@link pageOf} makes a page. */
export interface PageOfOptions {
  readonly timeZone: TimeZone;
  /** Read the layers that no earlier look has read: their sizes as Docker counts them are not known otherwise. */
  readonly readLayers: boolean;
  readonly showSecrets: boolean;
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
  const layers = imageLayers(read.manifest, config.rootfs.diffIds);
  return buildPage(
    {
      digest: read.descriptor.digest,
      manifest: read.manifest,
      config,
      descriptor,
      repoTags: references.filter(({ tag }) => tag !== undefined).map(familiarName),
      repoDigests: [...new Set(references.map((reference) => familiarName(withDigest(reference, descriptor.digest))))],
      ...(options.readLayers ? await readLayers(name, layers, places) : knownOnly(layers, places)),
      ...(lastTagTime === undefined ? {} : { lastTagTime }),
    },
    { timeZone: options.timeZone, showSecrets: options.showSecrets },
  );
}

/** What is known of the layers, and what reading the others tells. */
async function readLayers(
  name: string,
  layers: readonly ImageLayer[],
  places: CommandPlaces,
): Promise<Pick<PageSource, 'layerSizes' | 'secretFiles'>> {
  keepHeapSmall();
  const store = places.store();
  const known = new LayerReadings(store, storeSource(store));
  const unknown = layers.filter(
    (layer) => known.known(layer) === undefined || knownSecretFiles(store, layer) === undefined,
  );
  const { source, close } = await openLayerSource(name, unknown, places);
  try {
    const readings = new LayerReadings(store, source, { signal: places.signal });
    const layerSizes: number[] = [];
    const secretFiles: SecretFinding[] = [];
    for (const [position, layer] of layers.entries()) {
      const files = knownSecretFiles(store, layer) ?? (await findSecretFiles(store, readings, layer));
      secretFiles.push(...files.map((file) => ({ ...file, place: 'file' as const, layer: position })));
      layerSizes.push((await readings.facts(layer)).size);
    }
    return { layerSizes, secretFiles };
  } finally {
    await close();
  }
}

function knownOnly(
  layers: readonly ImageLayer[],
  places: CommandPlaces,
): Pick<PageSource, 'layerSizes' | 'secretFiles'> {
  const store = places.store();
  const readings = new LayerReadings(store, storeSource(store));
  return {
    layerSizes: layers.map((layer) => readings.known(layer)?.size),
    secretFiles: layers.flatMap((layer, position) =>
      (knownSecretFiles(store, layer) ?? []).map((file) => ({ ...file, place: 'file' as const, layer: position })),
    ),
  };
}

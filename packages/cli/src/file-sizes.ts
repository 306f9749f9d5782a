import { LayerReadings } from '@boxwright/inspect';
import { storeSource } from '@boxwright/oci';
import { Option } from 'commander';
import type { CommandPlaces } from './command-places.ts';
import { openLayerSource, readableLayers } from './layer-source.ts';
import type { ShownImage } from './shown-image.ts';
import { keepHeapSmall } from './small-heap.ts';

/** `--sizes` of the commands that show sizes without it, too. */
export function sizesOption(): Option {
  return new Option(
    '--sizes',
    'read layers that are not in the store, once and without keeping them: sizes are those of the files everywhere',
  ).default(false);
}

/**
 * Bytes of the files of each layer, base first, as Docker counts them. Layers that no earlier look has read are streamed;
 * their sizes are kept in the store.
 *
 * @param name what `image` was opened by
 * @throws BoxwrightError IMAGE_INVALID when manifest and config disagree about the layers; as reading a layer; the
 *   signal's reason
 */
export async function fileSizes(name: string, image: ShownImage, places: CommandPlaces): Promise<readonly number[]> {
  const read = await image.read();
  const layers = readableLayers(read.descriptor.digest, read.manifest, (await read.config()).rootfs.diffIds);
  const store = places.store();
  const known = new LayerReadings(store, storeSource(store));
  const unknown = layers.filter((layer) => known.known(layer) === undefined);
  if (unknown.length === 0) return layers.map((layer) => known.known(layer)?.size ?? 0);
  keepHeapSmall();
  const { source, close } = await openLayerSource(name, unknown, places);
  try {
    const readings = new LayerReadings(store, source, { signal: places.signal });
    const sizes: number[] = [];
    for (const layer of layers) sizes.push((await readings.facts(layer)).size);
    return sizes;
  } finally {
    await close();
  }
}

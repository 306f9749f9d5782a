import { closeSync, openSync } from 'node:fs';
import { layerSize } from '@boxwright/inspect';
import {
  type Descriptor,
  type ImageLayer,
  type ImageStore,
  type Platform,
  scanTar,
  type TarEntry,
} from '@boxwright/oci';

/**
 * What each layer of an image adds, uncompressed bytes, base first, counted as Docker counts. A layer is scanned once;
 * the figure is then kept in the store under the layer's diffID.
 *
 * @param platform of an index; default: this machine's
 */
export async function layerSizes(
  store: ImageStore,
  descriptor: Descriptor,
  platform?: Platform,
): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (const layer of store.image(descriptor, platform).layers()) sizes.push(await sizeOfLayer(store, layer));
  return sizes;
}

async function sizeOfLayer(store: ImageStore, { descriptor, diffId }: ImageLayer): Promise<number> {
  const key = `layer-size ${diffId}`;
  const known = store.cache.get(key)?.value;
  if (typeof known === 'number') return known;
  const fd = openSync(await store.layerTar(descriptor, diffId), 'r');
  try {
    const { bytes } = layerSize(entriesOf(fd));
    store.cache.put(key, bytes, { blobs: [] });
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function* entriesOf(fd: number): Generator<TarEntry> {
  for (const { entry } of scanTar(fd)) yield entry;
}

import { closeSync, openSync } from 'node:fs';
import { layerSize } from '@boxwright/inspect';
import { type Descriptor, type Digest, type ImageStore, scanTar } from '@boxwright/oci';

/**
 * What each layer of an image adds, uncompressed bytes, base first, counted as Docker counts. A layer is scanned once;
 * the figure is then kept in the store under the layer's diffID.
 */
export async function layerSizes(store: ImageStore, descriptor: Descriptor): Promise<readonly number[]> {
  const image = store.image(descriptor);
  const { layers } = image.manifest();
  const { diffIds } = image.config().rootfs;
  const sizes: number[] = [];
  for (const [index, layer] of layers.entries()) {
    const diffId = diffIds[index];
    sizes.push(diffId === undefined ? 0 : await sizeOfLayer(store, layer, diffId));
  }
  return sizes;
}

async function sizeOfLayer(store: ImageStore, layer: Descriptor, diffId: Digest): Promise<number> {
  const key = `layer-size ${diffId}`;
  const known = store.cache.get(key)?.value;
  if (typeof known === 'number') return known;
  const fd = openSync(await store.layerTar(layer, diffId), 'r');
  try {
    const { bytes } = layerSize(entriesOf(fd));
    store.cache.put(key, bytes, { blobs: [] });
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function* entriesOf(
  fd: number,
): Generator<Parameters<typeof layerSize>[0] extends Iterable<infer Entry> ? Entry : never> {
  for (const { entry } of scanTar(fd)) yield entry;
}

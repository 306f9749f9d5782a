import { readFileSync } from 'node:fs';
import type { Image, ImageLayer, ImageStore, OverlayNamespace } from '@boxwright/oci';
import { unpackInThread } from './unpack-thread.ts';

/** A layer in both forms that a run needs. */
export interface LayerDirectory {
  /** Uncompressed. */
  readonly tar: string;
  /** Unpacked for an overlay mount; shared with builds. */
  readonly directory: string;
}

/** The layers of an image, base first, unpacked where the store has not done so before. */
export async function layerDirectories(
  store: ImageStore,
  image: Image,
  signal: AbortSignal,
): Promise<readonly LayerDirectory[]> {
  const done: LayerDirectory[] = [];
  for (const layer of image.layers()) {
    const tar = await store.layerTar(layer.descriptor, layer.diffId, signal);
    const below = done.map((lower) => lower.tar);
    done.push({
      tar,
      directory: store.snapshots.get(layer.diffId) ?? (await unpack(store, layer, tar, below, signal)),
    });
  }
  return done;
}

async function unpack(
  store: ImageStore,
  { diffId }: ImageLayer,
  tar: string,
  below: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const snapshot = store.snapshots.begin();
  try {
    await unpackInThread({ form: 'overlay', tar, target: snapshot.dir, overlay: overlayNamespace(), below }, signal);
    return snapshot.commit(diffId);
  } catch (error) {
    snapshot.abort();
    throw error;
  }
}

/** overlayfs keeps its marks in `trusted.*`, which only root of the first user namespace may set, else in `user.*`. */
function overlayNamespace(): OverlayNamespace {
  const isFirst = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  return process.getuid?.() === 0 && isFirst ? 'trusted' : 'user';
}

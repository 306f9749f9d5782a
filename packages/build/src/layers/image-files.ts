import type { Image, ImageStore } from '@boxwright/oci';
import type { SandboxUser } from '../sandbox/index.ts';
import { BuildTasks } from '../workers/tasks.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import { directoriesOf, Layer } from './layer.ts';
import { LayerUsers } from './layer-users.ts';
import { overlayNamespace } from './overlay-namespace.ts';

/** An image's files as a sandbox wants them. */
export interface ImageFiles {
  /** Unpacked layers for an overlay mount, base first; shared with builds. */
  readonly directories: readonly string[];
  /** Ids of a `USER` text. @throws BoxwrightError `USER_NOT_FOUND` */
  user(text: string): Promise<SandboxUser>;
}

/**
 * Makes an image's files ready to be mounted: layers are unpacked in worker threads as far as the store has not done so
 * before. They stay while the store is open.
 *
 * @throws BoxwrightError what unpacking a damaged or hostile layer throws; the signal's reason
 */
export async function imageFiles(store: ImageStore, image: Image, signal: AbortSignal): Promise<ImageFiles> {
  const pool = new WorkerPool(store.root);
  try {
    const environment = { store, pool, inline: new BuildTasks(store), overlay: overlayNamespace() };
    const layers = image.layers().map(({ descriptor, diffId }) => {
      const written = Promise.resolve({ diffId, size: descriptor.size });
      return new Layer(environment, written, () => store.layerTar(descriptor, diffId, signal));
    });
    const directories = await directoriesOf(layers);
    const users = LayerUsers.of(layers);
    return { directories, user: (text) => users.find(text) };
  } finally {
    await pool.close();
  }
}

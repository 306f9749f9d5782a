import {
  chooseImage,
  copyImage,
  type Image,
  type ImageStore,
  openOciLayout,
  type Platform,
  storeDestination,
} from '@boxwright/oci';
import type { NamedContext } from './engine.ts';

/** An image of an OCI layout that `--build-context NAME=oci-layout://DIR` names, brought into the store. */
export async function imageOfLayout(
  store: ImageStore,
  context: Extract<NamedContext, { kind: 'oci-layout' }>,
  platform: Platform,
): Promise<Image> {
  const layout = openOciLayout(context.path);
  const { tag, digest } = context;
  const chosen = chooseImage(
    layout.images,
    {
      ...(tag === undefined ? {} : { name: tag }),
      ...(digest === undefined ? {} : { digest }),
    },
    layout.description,
  );
  const destination = storeDestination(store);
  try {
    // Without names: it is the base of this build, not an image of the store's own.
    await copyImage(layout, { descriptor: chosen.descriptor, names: [] }, destination);
    await destination.finish();
  } catch (error) {
    await destination.abort();
    throw error;
  }
  return store.image(chosen.descriptor, platform);
}

import { type FilesImage, ImageFiles } from '@boxwright/inspect';
import {
  type ImageSource,
  openSource,
  type Platform,
  parseImageLocation,
  type ReadImage,
  storeSource,
} from '@boxwright/oci';
import type { CommandPlaces } from './command-places.ts';
import { readableLayers } from './layer-source.ts';
import { openShownImage, readForPlatform } from './shown-image.ts';
import { keepHeapSmall } from './small-heap.ts';

/** The files of an image that the command line named. */
export interface OpenedFiles {
  readonly files: ImageFiles;
  readonly image: FilesImage;
  readonly close: () => Promise<void>;
}

/**
 * Finds an image as `inspect` does, and opens its layers.
 *
 * @param platform of an index; default: this machine's
 * @throws BoxwrightError as `openShownImage`; IMAGE_INVALID when manifest and config disagree about the layers
 */
export async function openImageFiles(
  name: string,
  platform: Platform | undefined,
  places: CommandPlaces,
): Promise<OpenedFiles> {
  keepHeapSmall();
  const { read, source, close } = await openImage(name, platform, places);
  try {
    const layers = readableLayers(read.descriptor.digest, read.manifest, (await read.config()).rootfs.diffIds);
    const files = new ImageFiles(places.store(), source, layers, { signal: places.signal });
    return { files, image: { digest: read.descriptor.digest, diffIds: layers.map(({ diffId }) => diffId) }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenedImage {
  readonly read: ReadImage;
  readonly source: ImageSource;
  readonly close: () => Promise<void>;
}

async function openImage(name: string, platform: Platform | undefined, places: CommandPlaces): Promise<OpenedImage> {
  const location = parseImageLocation(name);
  if (location.transport === 'store') {
    const shown = await openShownImage(name, platform, places);
    try {
      const read = await shown.read();
      const store = places.store();
      if (store.hasBlob(read.manifest.config.digest)) {
        return { read, source: storeSource(store), close: () => shown.close() };
      }
    } catch (error) {
      await shown.close();
      throw error;
    }
    await shown.close();
  }
  // A bare name that the store lacks was found in its registry.
  const there = location.transport === 'store' ? ({ transport: 'docker', reference: name } as const) : location;
  const { source, image, close } = await openSource(there, places, { read: true });
  try {
    return { read: await readForPlatform(source, image.descriptor, { wanted: platform }), source, close };
  } catch (error) {
    await close();
    throw error;
  }
}

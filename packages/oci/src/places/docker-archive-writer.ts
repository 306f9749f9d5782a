import { statSync } from 'node:fs';
import type { Digest } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';
import type { Image } from '../store/image.ts';
import type { ImageStore } from '../store/store.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { configFile, DockerArchiveIndex, layerFile } from './docker-archive-index.ts';
import type { PlacedImage } from './place.ts';
import { TarFile } from './tar-file.ts';

/** How to save. */
export interface DockerArchiveOptions {
  /** Which image of an index; default: this machine's platform. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes images as `docker load`, skopeo and podman take them: `<config>.json`, plain layers `<diffID>.tar` (each once),
 * `manifest.json`, and `repositories` for old readers. The output is aborted when anything fails.
 *
 * @throws BoxwrightError PLATFORM_MISSING, BLOB_MISSING, BLOB_CORRUPT, LAYER_INVALID; the signal's reason
 */
export async function saveDockerArchive(
  store: ImageStore,
  images: readonly PlacedImage[],
  output: ArchiveOutput,
  options: DockerArchiveOptions = {},
): Promise<void> {
  try {
    const tar = new TarFile(output);
    const index = new DockerArchiveIndex();
    for (const { descriptor, names } of images) {
      const image = store.image(descriptor, options.platform);
      const diffIds = await addImage(store, tar, image, options.signal);
      index.add(names, image.manifest().config.digest, diffIds);
    }
    index.write(tar);
    await tar.finish();
  } catch (error) {
    await output.abort();
    throw error;
  }
}

/** Adds config and layers as far as they are not in the archive yet; the diffIDs of the layers, base first. */
async function addImage(
  store: ImageStore,
  tar: TarFile,
  image: Image,
  signal: AbortSignal | undefined,
): Promise<Digest[]> {
  const diffIds: Digest[] = [];
  for (const { descriptor, diffId } of image.layers()) {
    const name = layerFile(diffId);
    diffIds.push(diffId);
    if (tar.has(name)) continue;
    const path = await store.layerTar(descriptor, diffId, signal);
    const plain = { mediaType: descriptor.mediaType, digest: diffId, size: statSync(path).size };
    await tar.addBlob(name, plain, store.layerPieces(descriptor, diffId, signal));
  }
  const config = configFile(image.manifest().config.digest);
  if (!tar.has(config)) tar.add(config, image.config().raw);
  return diffIds;
}

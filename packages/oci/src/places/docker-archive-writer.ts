import { statSync } from 'node:fs';
import type { JsonObject, JsonValue } from '../documents/json.ts';
import { goJson, sortedObject } from '../documents/json-writer.ts';
import { digestHex } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';
import { familiarName, parseReference } from '../names/reference.ts';
import type { Image } from '../store/image.ts';
import type { ImageStore } from '../store/store.ts';
import type { ArchiveOutput } from './archive-output.ts';
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
    const rows: JsonObject[] = [];
    const repositories = new Map<string, Map<string, JsonValue>>();
    for (const { descriptor, names } of images) {
      const image = store.image(descriptor, options.platform);
      const familiar = names
        .map((name) => parseReference(name))
        .map((reference) => ({ ...reference, name: familiarName(reference) }));
      const layers = await addImage(store, tar, image, options.signal);
      const row: [string, JsonValue][] = [
        ['Config', configName(image)],
        ['RepoTags', familiar.map(({ name }) => name)],
        ['Layers', layers],
      ];
      rows.push(new Map(row));
      const top = layers.at(-1)?.replace(/\.tar$/, '');
      for (const { name, tag } of familiar) {
        if (tag === undefined || top === undefined) continue;
        const repository = name.slice(0, -tag.length - 1);
        repositories.set(repository, (repositories.get(repository) ?? new Map<string, JsonValue>()).set(tag, top));
      }
    }
    tar.add('manifest.json', Buffer.from(goJson(rows)));
    tar.add('repositories', Buffer.from(goJson(sortedObject(repositories))));
    await tar.finish();
  } catch (error) {
    await output.abort();
    throw error;
  }
}

function configName(image: Image): string {
  return `${digestHex(image.manifest().config.digest)}.json`;
}

/** Adds config and layers as far as they are not in the archive yet; the names of the layers, base first. */
async function addImage(
  store: ImageStore,
  tar: TarFile,
  image: Image,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const names: string[] = [];
  for (const { descriptor, diffId } of image.layers()) {
    const name = `${digestHex(diffId)}.tar`;
    names.push(name);
    if (tar.has(name)) continue;
    const path = await store.layerTar(descriptor, diffId, signal);
    const plain = { mediaType: descriptor.mediaType, digest: diffId, size: statSync(path).size };
    await tar.addBlob(name, plain, store.layerPieces(descriptor, diffId, signal));
  }
  if (!tar.has(configName(image))) tar.add(configName(image), image.config().raw);
  return names;
}

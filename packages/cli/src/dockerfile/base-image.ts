import type { DockerfileBase } from '@boxwright/inspect';
import {
  buildImageConfig,
  copyImage,
  type Descriptor,
  descriptorOf,
  type ImageConfig,
  type ImageDestination,
  type ImageManifest,
  type ImageSource,
  parseImageConfig,
  serializeManifest,
} from '@boxwright/oci';

/** The base of an image, as an image of its own: its layers are the first ones of the image. */
export interface BaseImage {
  readonly config: ImageConfig;
  /** Documents are made here, layers come from where the image is. */
  readonly source: ImageSource;
  readonly descriptor: Descriptor;
}

/** Makes an image of the layers, rows and settings that are the base's. */
export function baseImage(
  image: { readonly config: ImageConfig; readonly manifest: ImageManifest },
  base: DockerfileBase,
  layers: ImageSource,
): BaseImage {
  const { config, manifest } = image;
  const configBytes = buildImageConfig({
    base: config,
    unknownFields: 'drop',
    author: '',
    // What is not set has to go, so a health check is named also where there is none.
    config: { ...base.settings, Healthcheck: base.settings.Healthcheck },
    rootfs: { diffIds: config.rootfs.diffIds.slice(0, base.layers) },
    history: config.history.slice(0, base.rows),
  });
  const configDescriptor = descriptorOf(configBytes, manifest.config.mediaType);
  const manifestBytes = serializeManifest({
    mediaType: manifest.mediaType,
    config: configDescriptor,
    layers: manifest.layers.slice(0, base.layers),
  });
  const descriptor = descriptorOf(manifestBytes, manifest.mediaType);
  const own = new Map([
    [configDescriptor.digest, configBytes],
    [descriptor.digest, manifestBytes],
  ]);
  const source: ImageSource = {
    description: layers.description,
    has: async (wanted) => own.has(wanted.digest) || (await layers.has(wanted)),
    readDocument: async (wanted) => own.get(wanted.digest) ?? (await layers.readDocument(wanted)),
    readBlob: (wanted, options) => {
      const bytes = own.get(wanted.digest);
      return bytes === undefined ? layers.readBlob(wanted, options) : once(bytes.subarray(options?.offset ?? 0));
    },
  };
  return { config: parseImageConfig(configBytes), source, descriptor };
}

/** Brings a base to a place, under one name. */
export async function placeBase(
  { source, descriptor }: BaseImage,
  name: string,
  destination: ImageDestination,
  signal: AbortSignal,
): Promise<void> {
  try {
    await copyImage(source, { descriptor, names: [name] }, destination, { signal });
    await destination.finish();
  } catch (error) {
    await destination.abort();
    throw error;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

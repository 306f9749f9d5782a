import { escapeForTerminal } from '@boxwright/errors';
import {
  dockerfileTitle,
  ImageFiles,
  imageSecrets,
  measureEfficiency,
  type PageDockerfile,
  type PageExtras,
  pageDockerfile,
  pageFileTree,
  platformText,
  reconstructDockerfile,
  redactConfig,
  treeOf,
} from '@boxwright/inspect';
import { type ImageConfig, type ImageLayer, type ImageManifest, parseImageLocation, platformOf } from '@boxwright/oci';
import type { CommandPlaces } from './command-places.ts';
import { baseCandidates } from './dockerfile/base-candidates.ts';
import { imageLayers, openLayerSource } from './layer-source.ts';
import type { ShownImage } from './shown-image.ts';

/** How {@link pageExtrasOf} looks. */
export interface PageExtrasOptions {
  /** Read the layers: without it nothing is said about files. */
  readonly readLayers: boolean;
  readonly showSecrets: boolean;
}

/**
 * What an HTML page shows beside the page itself: the files, what is wasted on copies, the Dockerfile.
 *
 * @param name what `image` was opened by
 * @throws BoxwrightError as reading the image and its layers; the signal's reason
 */
export async function pageExtrasOf(
  name: string,
  image: ShownImage,
  places: CommandPlaces,
  options: PageExtrasOptions,
): Promise<PageExtras> {
  const read = await image.read();
  const config = await read.config();
  const layers = imageLayers(read.manifest, config.rootfs.diffIds);
  const { transport } = parseImageLocation(name);
  const subject = {
    name: escapeForTerminal(name),
    digest: read.descriptor.digest,
    id: read.manifest.config.digest,
    platform: platformText(config),
  };
  return {
    // Only the store knows when a name was given; a bare name that it does not have came from a registry.
    isLocal: transport === 'store' ? image.lastTagTime !== undefined : transport !== 'docker',
    dockerfile: await dockerfileOf(dockerfileTitle(subject), config, read.manifest, places, options),
    ...(options.readLayers && layers.length > 0 ? await filesOf(name, layers, places) : {}),
  };
}

async function filesOf(
  name: string,
  layers: readonly ImageLayer[],
  places: CommandPlaces,
): Promise<Pick<PageExtras, 'tree' | 'waste'>> {
  const { source, close } = await openLayerSource(name, layers, places);
  try {
    const files = new ImageFiles(places.store(), source, layers, { signal: places.signal });
    const indexes = (await files.listings()).map(({ index }) => index);
    return { tree: pageFileTree(treeOf(indexes)), waste: measureEfficiency(indexes) };
  } finally {
    await close();
  }
}

async function dockerfileOf(
  title: string,
  config: ImageConfig,
  manifest: ImageManifest,
  places: CommandPlaces,
  { showSecrets }: PageExtrasOptions,
): Promise<PageDockerfile> {
  const candidates = await baseCandidates([], platformOf(config), places);
  const { findings, redactor } = imageSecrets(config);
  const claimed = manifest.annotations?.get(baseNameKey) ?? config.config.Labels.get(baseNameKey);
  if (showSecrets || findings.length === 0) {
    return pageDockerfile(reconstructDockerfile(config, { candidates, claimed }), title);
  }
  // The base's settings have to look the same as the image's, or they would seem to be set by an instruction.
  const redacted = candidates.map((base) => ({ ...base, config: redactConfig(base.config, redactor) }));
  const hints = { candidates: redacted, claimed };
  return pageDockerfile(reconstructDockerfile(redactConfig(config, redactor), hints), title);
}

/** OCI image-spec annotations.md: the image that this one is built on. */
const baseNameKey = 'org.opencontainers.image.base.name';

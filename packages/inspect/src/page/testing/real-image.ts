import { readFileSync } from 'node:fs';
import { type Digest, type ImageConfig, OCI_LAYER, OCI_MANIFEST, parseImageConfig } from '@boxwright/oci';
import type { PageSource } from '../page-source.ts';

/** Images whose pages a mirror site published. */
export const realImages: readonly string[] = ['prefect', 'poco-backend', 'dify-api'];

/** A JSON file of this directory: the facts that follow from a page, with the config that they belong to. */
interface ImageFacts {
  readonly id: Digest;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly layerSizes: readonly number[];
  readonly config: unknown;
}

/** What the page of an image is made from. Layers are as they are in a registry that stores them uncompressed. */
export function realImage(name: string): PageSource {
  // The file is ours.
  const facts = JSON.parse(read(`${name}.image.json`)) as ImageFacts;
  const config: ImageConfig = parseImageConfig(Buffer.from(JSON.stringify(facts.config)));
  return {
    digest: config.rootfs.diffIds[0] ?? facts.id,
    manifest: {
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: facts.id, size: config.raw.length },
      layers: config.rootfs.diffIds.map((digest, index) => ({
        mediaType: OCI_LAYER,
        digest,
        size: facts.layerSizes[index] ?? 0,
      })),
    },
    config,
    repoTags: facts.repoTags,
    repoDigests: facts.repoDigests,
    layerSizes: facts.layerSizes,
  };
}

/** The page as the site published it, character for character. */
export function publishedPage(name: string): string {
  return read(`${name}.page.txt`);
}

function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}

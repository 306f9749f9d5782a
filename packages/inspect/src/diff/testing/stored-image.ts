import {
  type Descriptor,
  descriptorOf,
  type ImageStore,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
  parseImageConfig,
  parseManifestOrIndex,
  serializeManifest,
  storeSource,
} from '@boxwright/oci';
import { ImageFiles } from '../../files/image-files.ts';
import { type Entry, layerTar } from '../../testing/layer-tar.ts';
import type { DiffSource } from '../diff-images.ts';

/** An image that was put into a store, as one side of a diff. `settings` is its `config` member. */
export function storedImage(
  store: ImageStore,
  name: string,
  layers: readonly (readonly Entry[])[],
  document: Readonly<Record<string, unknown>> = {},
): DiffSource {
  const written = layers.map((entries) => putBytes(store, OCI_LAYER, layerTar(entries)));
  const raw = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: written.map(({ digest }) => digest) },
      history: written.map((_, index) => ({ created_by: `COPY files${index} / # buildkit` })),
      ...document,
    }),
  );
  const config = parseImageConfig(raw);
  const bytes = serializeManifest({ config: putBytes(store, OCI_CONFIG, raw), layers: written });
  const descriptor = putBytes(store, OCI_MANIFEST, bytes);
  const manifest = parseManifestOrIndex(bytes);
  if (manifest.kind !== 'manifest') throw new Error('a manifest was written');
  const imageLayers = written.map((layer) => ({ descriptor: layer, diffId: layer.digest }));
  return {
    name,
    descriptor,
    digest: descriptor.digest,
    manifest,
    config,
    layerSizes: written.map(() => undefined),
    files: new ImageFiles(store, storeSource(store), imageLayers),
    isNear: true,
  };
}

function putBytes(store: ImageStore, mediaType: string, bytes: Buffer): Descriptor {
  const blob = store.createBlob();
  blob.write(bytes);
  blob.commit();
  return descriptorOf(bytes, mediaType);
}

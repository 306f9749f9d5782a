import { buildImageConfig } from '../../documents/build-image-config.ts';
import { type Descriptor, descriptorOf } from '../../documents/descriptor.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../documents/media-types.ts';
import { serializeIndex, serializeManifest } from '../../documents/serialize.ts';
import type { ImageStore } from '../../store/store.ts';
import { putBlob } from '../../store/testing/example-image.ts';
import { tarOf } from './tar-of.ts';

/** For tests: an image whose layers are real tar archives, one per text, each with one file. */
export function putImage(store: ImageStore, texts: readonly string[], architecture = 'amd64'): Descriptor {
  const layers = texts.map((text) => ({
    mediaType: OCI_LAYER,
    ...putBlob(store, tarOf([[text.slice(0, 8), text]])),
  }));
  const config = buildImageConfig({
    os: 'linux',
    architecture,
    created: '2026-01-01T00:00:00Z',
    config: { Cmd: ['/bin/sh'] },
    rootfs: { diffIds: layers.map(({ digest }) => digest) },
    history: texts.map((text) => ({ createdBy: text.slice(0, 20) })),
  });
  putBlob(store, config);
  const manifest = serializeManifest({ config: descriptorOf(config, OCI_CONFIG), layers });
  putBlob(store, manifest);
  return descriptorOf(manifest, OCI_MANIFEST);
}

/** For tests: an index in the store. */
export function putIndex(store: ImageStore, manifests: readonly Descriptor[]): Descriptor {
  const bytes = serializeIndex({ manifests });
  putBlob(store, bytes);
  return descriptorOf(bytes, OCI_INDEX);
}

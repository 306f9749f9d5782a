import {
  type ByteString,
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
  type TarEntry,
  TarWriter,
  toByteString,
} from '@boxwright/oci';
import { ImageFiles } from '../../files/image-files.ts';
import type { DiffSource } from '../diff-images.ts';

/** An entry of a layer; a file when it has content, else a directory. */
export interface Entry extends Partial<Omit<TarEntry, 'path' | 'linkName'>> {
  readonly path: string | ByteString;
  readonly content?: string;
  readonly link?: string;
}

/** An image that was put into a store, as one side of a diff. `settings` is its `config` member. */
export function storedImage(
  store: ImageStore,
  name: string,
  layers: readonly (readonly Entry[])[],
  document: Readonly<Record<string, unknown>> = {},
): DiffSource {
  const written = layers.map((entries) => putLayer(store, entries));
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

function putLayer(store: ImageStore, entries: readonly Entry[]): Descriptor {
  const blob = store.createBlob();
  const tar = new TarWriter((chunk) => blob.write(chunk));
  for (const { path, content, link, ...rest } of entries) {
    const data = Buffer.from(content ?? '');
    const type = rest.type ?? (link !== undefined ? 'symlink' : content === undefined ? 'directory' : 'file');
    tar.writeEntry({
      type,
      mode: type === 'directory' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: 0n,
      ...rest,
      path: toByteString(path),
      size: data.length,
      ...(link === undefined ? {} : { linkName: toByteString(link) }),
    });
    if (data.length > 0) tar.writeData(data);
    tar.endEntry();
  }
  tar.finish();
  return { mediaType: OCI_LAYER, ...blob.commit() };
}

function putBytes(store: ImageStore, mediaType: string, bytes: Buffer): Descriptor {
  const blob = store.createBlob();
  blob.write(bytes);
  blob.commit();
  return descriptorOf(bytes, mediaType);
}

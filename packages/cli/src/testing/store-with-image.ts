import {
  buildImageConfig,
  type Descriptor,
  descriptorOf,
  type HistoryEntry,
  type ImageStore,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
  serializeManifest,
  type TarEntry,
  TarWriter,
  toByteString,
} from '@boxwright/oci';

/** A file or directory of a layer. */
export interface LayerFile {
  readonly path: string;
  /** A directory when absent. */
  readonly content?: string;
  readonly mode?: number;
}

/** Puts an image into a store: one layer per list of files, with history; returns the manifest, not yet tagged. */
export function putImage(
  store: ImageStore,
  layers: readonly (readonly LayerFile[])[],
  env: readonly string[] = [],
): Descriptor {
  const written = layers.map((files) => putLayer(store, files));
  const history: HistoryEntry[] = written.map((_, index) => ({
    created: `2026-01-0${index + 1}T00:00:00Z`,
    createdBy: `COPY files${index} / # buildkit`,
    comment: 'buildkit.dockerfile.v0',
  }));
  const config = buildImageConfig({
    architecture: 'amd64',
    os: 'linux',
    config: { Env: env, Cmd: ['/bin/app'] },
    rootfs: { diffIds: written.map((layer) => layer.digest) },
    history: [...history, { created: '2026-01-09T00:00:00Z', createdBy: 'CMD ["/bin/app"]', emptyLayer: true }],
  });
  const configDescriptor = putBytes(store, OCI_CONFIG, config);
  return putBytes(store, OCI_MANIFEST, serializeManifest({ config: configDescriptor, layers: written }));
}

function putLayer(store: ImageStore, files: readonly LayerFile[]): Descriptor {
  const blob = store.createBlob();
  const tar = new TarWriter((chunk) => blob.write(chunk));
  for (const { path, content, mode } of files) {
    const data = Buffer.from(content ?? '');
    const entry: TarEntry = {
      path: toByteString(path),
      type: content === undefined ? 'directory' : 'file',
      mode: mode ?? (content === undefined ? 0o755 : 0o644),
      uid: 0,
      gid: 0,
      size: data.length,
      mtimeNs: 0n,
    };
    tar.writeEntry(entry);
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

/** OCI image-spec media-types.md, image-manifest.md, layer.md. */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const OCI_LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
const OCI_FOREIGN_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
const OCI_FOREIGN_LAYER_GZIP = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const OCI_FOREIGN_LAYER_ZSTD = 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd';

/** Docker "Image Manifest Version 2, Schema 2". */
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
export const DOCKER_LAYER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
/** Not in Docker's specification; buildah and BuildKit wrote it. */
export const DOCKER_LAYER_ZSTD = 'application/vnd.docker.image.rootfs.diff.tar.zstd';
const DOCKER_FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar';
const DOCKER_FOREIGN_LAYER_GZIP = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

/** Docker "Image Manifest Version 2, Schema 1": recognised in order to be refused by name. */
export const DOCKER_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';
export const DOCKER_SCHEMA1_SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

/** Which family of media types a document is written in. */
export type ImageFormat = 'oci' | 'docker';

/** How a layer blob is compressed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

interface LayerType {
  readonly format: ImageFormat;
  readonly compression: LayerCompression;
  /** "Foreign" in Docker, "non-distributable" in OCI: the bytes may be absent, and pushed only when asked. */
  readonly foreign: boolean;
}

const layerTypes: ReadonlyMap<string, LayerType> = new Map<string, LayerType>([
  [OCI_LAYER, { format: 'oci', compression: 'none', foreign: false }],
  [OCI_LAYER_GZIP, { format: 'oci', compression: 'gzip', foreign: false }],
  [OCI_LAYER_ZSTD, { format: 'oci', compression: 'zstd', foreign: false }],
  [OCI_FOREIGN_LAYER, { format: 'oci', compression: 'none', foreign: true }],
  [OCI_FOREIGN_LAYER_GZIP, { format: 'oci', compression: 'gzip', foreign: true }],
  [OCI_FOREIGN_LAYER_ZSTD, { format: 'oci', compression: 'zstd', foreign: true }],
  [DOCKER_LAYER, { format: 'docker', compression: 'none', foreign: false }],
  [DOCKER_LAYER_GZIP, { format: 'docker', compression: 'gzip', foreign: false }],
  [DOCKER_LAYER_ZSTD, { format: 'docker', compression: 'zstd', foreign: false }],
  [DOCKER_FOREIGN_LAYER, { format: 'docker', compression: 'none', foreign: true }],
  [DOCKER_FOREIGN_LAYER_GZIP, { format: 'docker', compression: 'gzip', foreign: true }],
]);

const otherTypes: readonly (readonly [oci: string, docker: string])[] = [
  [OCI_INDEX, DOCKER_MANIFEST_LIST],
  [OCI_MANIFEST, DOCKER_MANIFEST],
  [OCI_CONFIG, DOCKER_CONFIG],
];

/** True for an OCI index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_MANIFEST_LIST;
}

/** True for a manifest with config and layers, OCI or Docker schema 2. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** True for the config of an image that can be run (an artifact's config has another type). */
export function isImageConfigType(mediaType: string): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

/** True for a file system layer of any compression, foreign ones included. */
export function isLayerType(mediaType: string): boolean {
  return layerTypes.has(mediaType);
}

/** True for a layer whose bytes a registry need not have (Windows base layers). */
export function isForeignLayerType(mediaType: string): boolean {
  return layerTypes.get(mediaType)?.foreign === true;
}

/** How a layer of that type is compressed; undefined when it is not a layer type. */
export function compressionOf(mediaType: string): LayerCompression | undefined {
  return layerTypes.get(mediaType)?.compression;
}

/** The media type of a layer. Foreign zstd layers have no Docker type; the ordinary one is given. */
export function layerMediaType(format: ImageFormat, compression: LayerCompression, foreign = false): string {
  let fallback: string | undefined;
  for (const [mediaType, type] of layerTypes) {
    if (type.format !== format || type.compression !== compression) continue;
    if (type.foreign === foreign) return mediaType;
    fallback ??= mediaType;
  }
  return fallback ?? OCI_LAYER;
}

/** The same kind of document or layer in the other family; what has no counterpart stays as it is. */
export function convertMediaType(mediaType: string, format: ImageFormat): string {
  const layer = layerTypes.get(mediaType);
  if (layer !== undefined) {
    return layer.format === format ? mediaType : layerMediaType(format, layer.compression, layer.foreign);
  }
  const pair = otherTypes.find((types) => types.includes(mediaType));
  if (pair === undefined) return mediaType;
  return format === 'oci' ? pair[0] : pair[1];
}

/** The family a manifest, index, config or layer type belongs to. Unknown types count as OCI, which allows any. */
export function formatOf(mediaType: string): ImageFormat {
  return mediaType.startsWith('application/vnd.docker.') ? 'docker' : 'oci';
}

/**
 * True for text that can stand as a media type: RFC 6838 section 4.2, at most 255 characters, no parameters. OCI
 * image-spec descriptor.md "mediaType".
 */
export function isMediaType(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$/.test(text);
}

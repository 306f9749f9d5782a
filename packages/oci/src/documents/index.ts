export { buildImageConfig, type ImageConfigChanges } from './build-image-config.ts';
export { type Descriptor, descriptorOf, verifyBytes } from './descriptor.ts';
export {
  type ContainerConfig,
  emptyContainerConfig,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type RootFs,
} from './image-config.ts';
export { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from './json.ts';
export { type JsonParseOptions, JsonSyntaxError, parseJson } from './json-parser.ts';
export { goJson, sortedObject } from './json-writer.ts';
export { documentLimits } from './limits.ts';
export {
  type ImageIndex,
  type ImageManifest,
  type ParseOptions,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
} from './manifest.ts';
export {
  compressionOf,
  convertMediaType,
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  formatOf,
  type ImageFormat,
  isForeignLayerType,
  isImageConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  isMediaType,
  type LayerCompression,
  layerMediaType,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from './media-types.ts';
export { chainIds, parseImageConfig, platformOf } from './parse-image-config.ts';
export { type IndexParts, type ManifestParts, serializeIndex, serializeManifest } from './serialize.ts';

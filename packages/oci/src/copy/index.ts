export { checkPlatform } from './check-platform.ts';
export type { CopyEvent } from './copy-events.ts';
export { type CopyResult, copyImage } from './copy-image.ts';
export type { CopyOptions } from './copy-options.ts';
export {
  compressLayers,
  gzipLayers,
  type LayerCompressionChoice,
  parseLayerCompression,
} from './encode-layers.ts';
export type { EncodedSize, LayerEncoder, LayerEncoding, SpooledLayer } from './layer-encoder.ts';
export type { Ledger, LedgerEntry, LedgerTotals, PartRole, PartState } from './ledger.ts';
export { Limiter } from './limiter.ts';
export {
  type OpenedDestination,
  type OpenedSource,
  type OpenSourceOptions,
  openDestination,
  openSource,
  type PlaceContext,
} from './open-place.ts';
export {
  type CopyPlan,
  type PlannedAction,
  type PlannedPart,
  type PlannedTotal,
  planCopy,
} from './plan-copy.ts';
export { type PlatformChoice, type PlatformPolicy, platformChoice, platformPolicies } from './platform-policy.ts';
export { type ReadImage, type ReadImageOptions, readImage } from './read-image.ts';

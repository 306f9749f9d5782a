export { type CompressOptions, compressGzip } from './compress-gzip.ts';
export { compressZstd } from './compress-zstd.ts';
export { decompress } from './decompress.ts';
export { decompressFileSync } from './decompress-sync.ts';
export { type CompressionKind, DETECTION_BYTES, detectCompression } from './detect-compression.ts';
export { defaultExpansionLimits, type ExpansionLimits } from './expansion-guard.ts';

export type { TarEntry, TarEntryType } from './entry.ts';
export { defaultTarLimits, type TarLimits, type TarReadOptions } from './limits.ts';
export { readScannedContent, type ScannedEntry, type ScanOptions, scanTar } from './scan-tar.ts';
export type { SparseSegment } from './sparse-map.ts';
export { type TarHandler, TarReader } from './tar-reader.ts';
export { TarWriter } from './tar-writer.ts';
export { wholeSeconds } from './whole-seconds.ts';

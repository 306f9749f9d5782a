export { BlobWriter, type CommitOptions, type ExpectedContent, type WrittenContent } from './blob-writer.ts';
export { type BuildCache, type CacheRecord, type JsonValue } from './build-cache.ts';
export type { ScratchFile, ScratchFolder } from './scratch-file.ts';
export type { SnapshotDirectory, SnapshotWriter } from './snapshots.ts';
export { ImageStore } from './store.ts';
export type { StoredTag } from './tags.ts';

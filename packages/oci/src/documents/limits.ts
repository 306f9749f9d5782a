/**
 * Bounds on documents from outside (threats D4): far above what any tool writes, low enough that hostile ones cost little.
 * Sizes in bytes.
 */
export const documentLimits: {
  /** Registries refuse larger ones: distribution-spec "Pushing manifests" asks for at least 4 MiB. */
  readonly manifestBytes: number;
  readonly configBytes: number;
  /** Entries of an index; BuildKit writes two per platform. */
  readonly indexEntries: number;
  /** Layers of one image. overlayfs itself stops at 500. */
  readonly layers: number;
  readonly historyEntries: number;
  /** How deep indexes may lie inside indexes, for code that walks them. */
  readonly indexDepth: number;
  /** How deep arrays and objects may lie in each other. */
  readonly jsonDepth: number;
} = {
  manifestBytes: 4 * 1024 * 1024,
  configBytes: 8 * 1024 * 1024,
  indexEntries: 10_000,
  layers: 1000,
  historyEntries: 10_000,
  indexDepth: 3,
  jsonDepth: 64,
};

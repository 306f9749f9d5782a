export { type DiffOptions, type DiffSource, diffImages } from './diff-images.ts';
export { diffJson } from './diff-json.ts';
export { type DiffTextOptions, diffText } from './diff-text.ts';
export type {
  DiffedFile,
  DiffedImage,
  DiffedLayer,
  DiffedRow,
  FileAspect,
  FileDifference,
  FileDifferences,
  HistoryDifferences,
  ImageDiff,
  LayerDifferences,
  PackageDifference,
  PackageDifferences,
  PlatformDifference,
  RowDifference,
  SettingDifference,
  UnreadPackages,
} from './model.ts';
export type { PackageManager } from './package-file.ts';

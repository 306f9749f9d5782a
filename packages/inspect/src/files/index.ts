export { type Efficiency, measureEfficiency, type WastedPath } from './efficiency.ts';
export { type ExportSummary, exportTar } from './export-tar.ts';
export { changeRows, type FileRow, type TreeRowOptions, treeRows } from './file-rows.ts';
export { type FilesImage, filesJson, wasteJson } from './files-json.ts';
export { fileLines, fileTree, modeText } from './files-text.ts';
export { ImageFiles, treeOf } from './image-files.ts';
export { type ChangedAspect, contentBelow, type FileChange, layerChanges } from './layer-changes.ts';
export { namePattern } from './name-pattern.ts';
export {
  checkWaste,
  parseRatio,
  parseSize,
  type RuleResult,
  ruleText,
  type WasteRules,
} from './waste-rules.ts';

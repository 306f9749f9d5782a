export { createdAgo, humanDuration } from './ago.ts';
export { displayWidth, padToWidth, truncateToWidth } from './display-width.ts';
export {
  type BaseCandidate,
  type BaseHints,
  type CompareOptions,
  type CopyStep,
  compareConfigs,
  type DockerfileBase,
  type DockerfileStep,
  type DockerfileTextOptions,
  dockerfileText,
  type FieldComparison,
  LOST_BASE,
  type Loss,
  type LossKind,
  lossText,
  type ReconstructedDockerfile,
  reconstructDockerfile,
} from './dockerfile/index.ts';
export { type HistoryRow, type HistorySource, historyRows } from './history-rows.ts';
export { type HistoryTableOptions, historyTable } from './history-table.ts';
export {
  type DockerInspectSource,
  dockerInspect,
  hostSpecificMembers,
  type InfoObject,
  type InspectForm,
  inspectForms,
} from './info/index.ts';
export {
  type CopyInstruction,
  collapseBlanks,
  type HealthcheckInstruction,
  type HistoryContext,
  type HistoryInstruction,
  type HistoryWriter,
  type InstructionKind,
  isInstructionKind,
  type NameValue,
  type PairsInstruction,
  type ReadRow,
  type RunInstruction,
  readHistory,
  type ValueInstruction,
  type WordsInstruction,
} from './instructions/index.ts';
export { instructionLabel, type Language, type Localized, layerWithoutRowLabel } from './labels/index.ts';
export {
  type LayerFacts,
  type LayerPassOptions,
  type LayerReadingOptions,
  LayerReadings,
  layerSize,
  passLayer,
} from './layers/index.ts';
export {
  buildPage,
  chinaTime,
  findingText,
  type ImagePage,
  type LayerPairing,
  localTime,
  type PageFacts,
  type PageFinding,
  type PageLayer,
  type PageOptions,
  type PageRow,
  type PageSize,
  type PageSource,
  type PageTime,
  type PageWords,
  pageJson,
  pageText,
  pageWords,
  pairLayers,
  parseTimeZone,
  type TimeZone,
} from './page/index.ts';
export {
  findSecrets,
  type ImageSecrets,
  imageSecrets,
  layerSecretFiles,
  namedSecret,
  REDACTED,
  Redactor,
  redactConfig,
  redactText,
  type SecretFinding,
  type SecretKind,
  type SecretMatch,
  type SecretPlace,
  secretFileKind,
  secretKindName,
  secretText,
} from './secrets/index.ts';
export { formatSize, formatSizeProgress, formatSizeShort } from './size.ts';
export { formatTable } from './table.ts';

export { createdAgo, humanDuration } from './ago.ts';
export { displayWidth, padToWidth, truncateToWidth } from './display-width.ts';
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
export {
  type LayerFacts,
  type LayerPassOptions,
  type LayerReadingOptions,
  LayerReadings,
  layerSize,
  passLayer,
} from './layers/index.ts';
export { formatSize, formatSizeProgress, formatSizeShort } from './size.ts';
export { formatTable } from './table.ts';

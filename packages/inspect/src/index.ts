export { createdAgo, humanDuration } from './ago.ts';
export { displayWidth, padToWidth, truncateToWidth } from './display-width.ts';
export { type DockerInspectSource, dockerInspect } from './docker-inspect.ts';
export { type HistoryRow, type HistorySource, historyRows } from './history-rows.ts';
export { type HistoryTableOptions, historyTable } from './history-table.ts';
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

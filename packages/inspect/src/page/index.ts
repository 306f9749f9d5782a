export { buildPage, type PageOptions } from './build-page.ts';
export type {
  ImagePage,
  PageFacts,
  PageFinding,
  PageLayer,
  PageRow,
  PageSize,
  PageTime,
} from './page.ts';
export { pageJson } from './page-json.ts';
export type { PageSource } from './page-source.ts';
export { pageText } from './page-text.ts';
export { findingText, type PageWords, pageWords } from './page-words.ts';
export { type LayerPairing, pairLayers } from './pair-layers.ts';
export { chinaTime, localTime, parseTimeZone, type TimeZone } from './time-zone.ts';

export { type LayerFacts, type LayerPassOptions, passLayer } from './layer-pass.ts';
export { type LayerReadingOptions, LayerReadings } from './layer-readings.ts';
export { type LayerSize, LayerSizeCounter, layerSize } from './layer-size.ts';

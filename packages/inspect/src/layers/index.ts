export { ContentDigests } from './content-digests.ts';
export { LayerContents, type LayerFile } from './layer-contents.ts';
export { type LayerFacts, type LayerPassOptions, passLayer } from './layer-pass.ts';
export { type LayerListing, type LayerReadingOptions, LayerReadings } from './layer-readings.ts';
export { layerSize } from './layer-size.ts';

import type { Layer } from '../layers/layer.ts';

/** A step's layer and when it was made. */
export interface FinishedStep {
  readonly layer: Layer;
  readonly created: string;
}

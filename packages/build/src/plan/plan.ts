import type { BaseLayer } from './base-image.ts';
import type { ImageState } from './image-state.ts';
import type { PlannedStep } from './stage-evaluation.ts';

/** What the first step of a stage works on. */
export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly stage: number }
  | { readonly kind: 'image'; readonly name: string; readonly layers: readonly BaseLayer[] }
  /** `FROM NAME` where NAME is a `--build-context` directory. */
  | { readonly kind: 'named-directory'; readonly path: string };

/** One needed stage: its base, the steps that change files, and the image it ends as. */
export interface PlannedStage {
  /** As in `[build 2/5]`; empty for the only stage of a Dockerfile. */
  readonly displayName: string;
  readonly base: StageBase;
  readonly steps: readonly PlannedStep[];
  readonly image: ImageState;
  readonly noCache: boolean;
}

/** The stages that the target needs, dependencies before those that use them. */
export interface Plan {
  readonly stages: readonly PlannedStage[];
  /** Index of the stage to export. */
  readonly target: number;
}

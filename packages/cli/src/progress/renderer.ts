import type { BuildEvent } from '@boxwright/build';

/** Draws a build's events; one per build. */
export interface ProgressRenderer {
  onEvent(event: BuildEvent): void;
  /** The build is over: draws the final state, the warnings and the output of a step that failed. */
  finish(): void;
}

/** Where a renderer draws: a stream, as far as it needs to know it. */
export interface ProgressOutput {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Shows nothing: for programs, whose errors carry the output of a step that failed. */
export const silentRenderer: ProgressRenderer = { onEvent: () => {}, finish: () => {} };

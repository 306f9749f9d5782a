import type { BuildEvent } from '@boxwright/build';
import { createColors } from 'picocolors';
import { type FrameColors, renderFrame } from './frame.ts';
import { LivePicture } from './live-picture.ts';
import type { ProgressOutput, ProgressRenderer } from './renderer.ts';
import { failedStepsLines, warningLines } from './status-text.ts';
import { Trace } from './trace.ts';

/** Lines of output shown of a step that failed: the picture has drawn over them. */
const failureLines = 200;

/** What a {@link TtyRenderer} may be told. */
export interface TtyRendererOptions {
  readonly colors: boolean;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/** A picture of the build that is redrawn in place, as `docker buildx build` draws on a terminal. */
export class TtyRenderer implements ProgressRenderer {
  readonly #now: () => number;
  readonly #colors: FrameColors;
  readonly #trace = new Trace();
  readonly #picture: LivePicture;
  readonly #startedAt: number;

  constructor(output: ProgressOutput, options: TtyRendererOptions) {
    this.#now = options.now ?? Date.now;
    this.#colors = frameColors(options.colors);
    this.#startedAt = this.#now();
    this.#picture = new LivePicture(output, (width, height) =>
      this.#trace.total === 0 ? [] : this.#frame(width, height, false),
    );
  }

  onEvent(event: BuildEvent): void {
    this.#trace.apply(event);
  }

  finish(): void {
    this.#picture.finish([
      ...this.#frame(this.#picture.width, Number.POSITIVE_INFINITY, true),
      ...failedStepsLines(this.#trace.started, failureLines),
      ...warningLines(this.#trace.warnings),
    ]);
  }

  #frame(width: number, height: number, final: boolean): string[] {
    return renderFrame(this.#trace, {
      width,
      height,
      now: this.#now(),
      startedAt: this.#startedAt,
      colors: this.#colors,
      final,
    });
  }
}

function frameColors(enabled: boolean): FrameColors {
  const { blue, red, yellow, dim } = createColors(enabled);
  return { done: blue, failed: red, canceled: yellow, dim };
}

import type { BuildEvent } from '@boxwright/build';
import { createLogUpdate } from 'log-update';
import { createColors } from 'picocolors';
import { type FrameColors, renderFrame } from './frame.ts';
import type { ProgressOutput, ProgressRenderer } from './renderer.ts';
import { failedStepLines, warningLines } from './status-text.ts';
import { Trace } from './trace.ts';

/** Time between two pictures, milliseconds. */
const frameTime = 100;
/** Lines of output shown of a step that failed. */
const failureLines = 200;

/** What a {@link TtyRenderer} may be told. */
export interface TtyRendererOptions {
  readonly colors: boolean;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/** A picture of the build that is redrawn in place, as `docker buildx build` draws on a terminal. */
export class TtyRenderer implements ProgressRenderer {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  readonly #colors: FrameColors;
  readonly #trace = new Trace();
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt: number;

  constructor(output: ProgressOutput, options: TtyRendererOptions) {
    this.#output = output;
    this.#now = options.now ?? Date.now;
    this.#colors = frameColors(options.colors);
    // log-update wants a whole stream in its types, but only writes to it and reads columns, rows and isTTY.
    this.#update = createLogUpdate(output as NodeJS.WritableStream);
    this.#startedAt = this.#now();
    this.#timer = setInterval(() => this.#draw(), frameTime);
    // The build keeps the process alive, not its picture.
    this.#timer.unref();
  }

  onEvent(event: BuildEvent): void {
    this.#trace.apply(event);
  }

  finish(): void {
    clearInterval(this.#timer);
    const failed = this.#trace.started.filter((step) => step.error !== undefined && !step.canceled);
    const lines = [
      ...this.#frame(Number.POSITIVE_INFINITY, true),
      ...failed.flatMap((step) => failedStepLines(step, failureLines)),
      ...warningLines(this.#trace.warnings),
    ];
    this.#update.clear();
    this.#update.done();
    this.#output.write(`${lines.join('\n')}\n`);
  }

  #draw(): void {
    if (this.#trace.total === 0) return;
    // The cursor rests on the line below the frame.
    this.#update(this.#frame((this.#output.rows ?? 24) - 1, false).join('\n'));
  }

  #frame(height: number, final: boolean): string[] {
    return renderFrame(this.#trace, {
      width: this.#output.columns ?? 80,
      height: Math.max(1, height),
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

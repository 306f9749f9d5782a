import type { BuildEvent } from '@boxwright/build';
import type { ProgressOutput, ProgressRenderer } from './renderer.ts';
import { failedStepsLines, failureLines } from './status-text.ts';
import { Trace } from './trace.ts';

/** Says nothing of a build that succeeds, and of one that fails the end of what the failed step printed: `--quiet`. */
export class QuietRenderer implements ProgressRenderer {
  readonly #output: ProgressOutput;
  readonly #trace = new Trace();

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  onEvent(event: BuildEvent): void {
    this.#trace.apply(event);
  }

  finish(): void {
    const lines = failedStepsLines(this.#trace.started, failureLines);
    if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
  }
}

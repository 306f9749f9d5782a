import { createLogUpdate } from 'log-update';
import type { ProgressOutput } from './renderer.ts';

/** Time between two pictures, milliseconds. */
const frameTime = 100;

/** Lines that are drawn over each other on a terminal until the last ones stay. */
export class LivePicture {
  readonly #output: ProgressOutput;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #timer: NodeJS.Timeout;

  /** @param draw the lines for a terminal of so many lines and columns; none: nothing to show yet */
  constructor(output: ProgressOutput, draw: (width: number, height: number) => readonly string[]) {
    this.#output = output;
    // log-update wants a whole stream in its types, but only writes to it and reads columns, rows and isTTY.
    this.#update = createLogUpdate(output as NodeJS.WritableStream);
    this.#timer = setInterval(() => {
      // The cursor rests on the line below the frame.
      const lines = draw(this.width, Math.max(1, (output.rows ?? 24) - 1));
      if (lines.length > 0) this.#update(lines.join('\n'));
    }, frameTime);
    // The work keeps the process alive, not its picture.
    this.#timer.unref();
  }

  get width(): number {
    return this.#output.columns ?? 80;
  }

  /** Replaces the picture by these lines, which stay. */
  finish(lines: readonly string[]): void {
    clearInterval(this.#timer);
    this.#update.clear();
    this.#update.done();
    if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
  }
}

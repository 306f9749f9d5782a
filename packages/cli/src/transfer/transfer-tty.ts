import { createColors } from 'picocolors';
import { LivePicture } from '../progress/live-picture.ts';
import type { ProgressOutput } from '../progress/renderer.ts';
import type { TransferEvent, TransferRenderer } from './transfer-event.ts';
import { transferFrame } from './transfer-frame.ts';
import { Speed, TransferTrace } from './transfer-trace.ts';

/** Bars that are redrawn in place; at the end the finished list stays. */
export class TransferTty implements TransferRenderer {
  readonly #trace = new TransferTrace();
  readonly #picture: LivePicture;
  readonly #speed = new Speed();
  readonly #startedAt = Date.now();
  readonly #done: (text: string) => string;
  readonly #note: (text: string) => string;

  constructor(output: ProgressOutput, colors: boolean) {
    const { blue, yellow } = createColors(colors);
    this.#done = blue;
    this.#note = yellow;
    this.#picture = new LivePicture(output, (width, height) => this.#frame(width, height, undefined));
  }

  onEvent(event: TransferEvent): void {
    this.#trace.apply(event);
  }

  finish(): void {
    const elapsed = Date.now() - this.#startedAt;
    this.#picture.finish(this.#frame(this.#picture.width, Number.POSITIVE_INFINITY, elapsed));
  }

  #frame(width: number, height: number, elapsed: number | undefined): string[] {
    if (this.#trace.parts.size === 0 && this.#trace.notes.length === 0) return [];
    return transferFrame(this.#trace, {
      width,
      height,
      elapsed,
      now: Date.now(),
      speed: this.#speed,
      done: this.#done,
      note: this.#note,
    });
  }
}

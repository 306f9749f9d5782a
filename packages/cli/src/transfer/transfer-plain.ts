import { escapeForTerminal } from '@boxwright/errors';
import type { ProgressOutput } from '../progress/renderer.ts';
import { partAmount, partName, partResult, rateText } from './part-text.ts';
import type { TransferEvent, TransferRenderer } from './transfer-event.ts';
import { type Part, TransferTrace } from './transfer-trace.ts';

/** Running parts are printed again after so long, milliseconds. */
const interval = 5000;
/** Rates are taken so often, milliseconds. */
const sampleTime = 1000;

/** A line when a part is finished, one every few seconds while it runs, and one for each note: for logs. */
export class TransferPlain implements TransferRenderer {
  readonly #output: ProgressOutput;
  readonly #trace = new TransferTrace();
  readonly #timer: NodeJS.Timeout;
  readonly #printedAt = new Map<Part, number>();

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#timer = setInterval(() => this.#tick(Date.now()), sampleTime);
    this.#timer.unref();
  }

  onEvent(event: TransferEvent): void {
    const part = this.#trace.apply(event);
    if (event.type === 'finished' && part !== undefined) this.#line(`${partName(part)}: ${partResult(part)}`);
    else if (event.type === 'image') this.#line(escapeForTerminal(this.#trace.title));
    else if (event.type === 'note') this.#line(escapeForTerminal(this.#trace.notes.at(-1) ?? ''));
  }

  finish(): void {
    clearInterval(this.#timer);
  }

  #tick(now: number): void {
    for (const part of this.#trace.parts.values()) {
      if (part.outcome !== undefined || part.startedAt === undefined) continue;
      const rate = part.speed.look(now, part.done);
      const since = this.#printedAt.get(part) ?? part.startedAt;
      if (now - since < interval) continue;
      this.#printedAt.set(part, now);
      this.#line(`${partName(part)}: ${partAmount(part)}${rate === undefined ? '' : ` (${rateText(rate)})`}`);
    }
  }

  #line(text: string): void {
    this.#output.write(`${text}\n`);
  }
}

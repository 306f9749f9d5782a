import { safeJson } from '@boxwright/errors';
import type { ProgressOutput } from '../progress/renderer.ts';
import type { TransferEvent, TransferRenderer } from './transfer-event.ts';
import { type Part, TransferTrace } from './transfer-trace.ts';

/** Amounts of running parts are printed so often, milliseconds. */
const interval = 500;

/**
 * One JSON object per line, for programs: `image`, `started`, `progress` (with `current` and `total` bytes), `finished`
 * (with `outcome`), `note`; each with `time` (RFC 3339).
 */
export class TransferJson implements TransferRenderer {
  readonly #output: ProgressOutput;
  readonly #trace = new TransferTrace();
  readonly #timer: NodeJS.Timeout;
  readonly #printed = new Map<Part, number>();

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#timer = setInterval(() => this.#tick(), interval);
    this.#timer.unref();
  }

  onEvent(event: TransferEvent): void {
    this.#trace.apply(event);
    if (event.type === 'bytes') return;
    const { type, ...fields } = event;
    if ('id' in fields) {
      const { id, ...rest } = fields;
      this.#line({ type, digest: id, ...rest });
    } else this.#line({ type, ...fields });
  }

  finish(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    for (const part of this.#trace.parts.values()) {
      if (part.outcome !== undefined || this.#printed.get(part) === part.done) continue;
      this.#printed.set(part, part.done);
      this.#line({ type: 'progress', digest: part.id, current: part.done, total: part.size });
    }
  }

  #line(fields: Readonly<Record<string, unknown>>): void {
    this.#output.write(`${safeJson({ ...fields, time: new Date().toISOString() })}\n`);
  }
}

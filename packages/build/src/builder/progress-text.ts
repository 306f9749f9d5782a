import { StringDecoder } from 'node:string_decoder';
import { escapeForTerminal } from '@boxwright/errors';
import { OutputTail } from '../engine/output-tail.ts';
import type { BuildEvent } from '../events.ts';

/** Where progress is written, line by line: `process.stdout`, or anything with `write`. */
export interface ProgressSink {
  write(text: string): unknown;
}

/** What is known of a step. */
interface Step {
  readonly number: number;
  readonly name: string;
  readonly decoders: ReadonlyMap<1 | 2, StringDecoder>;
  readonly pending: Map<1 | 2, string>;
  readonly tail: OutputTail;
  startedAt: number;
  cached: boolean;
}

/** Longest line that is waited for; a command may print without ever ending a line. */
const longestLine = 8192;

/**
 * Writes build events as lines of text (`#3 [2/4] RUN make`, `#3 0 errors`, `#3 DONE 1.2s`), and keeps what a failing step
 * printed last.
 */
export class ProgressText {
  readonly #sink: ProgressSink | undefined;
  readonly #steps = new Map<string, Step>();
  #failed: Step | undefined;

  constructor(sink: ProgressSink | undefined) {
    this.#sink = sink;
  }

  /** The last lines of the step that failed; empty when it printed nothing. */
  get logTail(): readonly string[] {
    const text = this.#failed?.tail.text ?? '';
    return text === '' ? [] : text.split('\n').map(escapeForTerminal);
  }

  onEvent(event: BuildEvent): void {
    if (event.type === 'warning') {
      this.#line(`WARNING: ${event.message}${event.line === undefined ? '' : ` (line ${event.line})`}`);
      return;
    }
    if (event.type === 'vertex') {
      this.#steps.set(event.id, newStep(this.#steps.size + 1, event.name));
      return;
    }
    const step = this.#steps.get(event.id);
    if (step === undefined) return;
    switch (event.type) {
      case 'started':
        step.startedAt = event.time;
        this.#line(`#${step.number} ${step.name}`);
        return;
      case 'cached':
        step.cached = true;
        return;
      case 'log':
        step.tail.add(event.data);
        this.#log(step, event.stream, step.decoders.get(event.stream)?.write(Buffer.from(event.data)) ?? '');
        return;
      case 'status':
        if (event.done) this.#line(`#${step.number} ${event.name} done`);
        return;
      case 'completed':
        this.#complete(step, event);
        return;
      default:
        event satisfies never;
    }
  }

  #complete(step: Step, event: Extract<BuildEvent, { type: 'completed' }>): void {
    for (const [stream, rest] of step.pending) {
      step.pending.set(stream, '');
      if (rest !== '') this.#line(`#${step.number} ${rest}`);
    }
    if (event.error !== undefined) {
      this.#failed ??= step;
      this.#line(`#${step.number} ERROR: ${event.error.message}`);
    } else {
      const seconds = Math.max(0, event.time - step.startedAt) / 1000;
      this.#line(`#${step.number} ${step.cached ? 'CACHED' : `DONE ${seconds.toFixed(1)}s`}`);
    }
  }

  #log(step: Step, stream: 1 | 2, text: string): void {
    const lines = `${step.pending.get(stream) ?? ''}${text}`.split('\n');
    const rest = lines.pop() ?? '';
    if (rest.length > longestLine) lines.push(rest);
    step.pending.set(stream, rest.length > longestLine ? '' : rest);
    for (const line of lines) this.#line(`#${step.number} ${line.replace(/\r$/, '')}`);
  }

  #line(text: string): void {
    this.#sink?.write(`${escapeForTerminal(text)}\n`);
  }
}

function newStep(number: number, name: string): Step {
  return {
    number,
    name,
    decoders: new Map([
      [1, new StringDecoder('utf8')],
      [2, new StringDecoder('utf8')],
    ]),
    pending: new Map(),
    tail: new OutputTail(),
    startedAt: 0,
    cached: false,
  };
}

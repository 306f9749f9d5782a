import type { BuildEvent } from '@boxwright/build';
import { escapeForTerminal } from '@boxwright/errors';
import type { ProgressOutput, ProgressRenderer } from './renderer.ts';
import { failedStepsLines, failureLines, statusAmount, stepName, warningLines } from './status-text.ts';
import { type Step, type StepStatus, Trace } from './trace.ts';

/** A running step that printed nothing for so long gives way to another one, milliseconds. */
const quietTime = 1000;
/** Longest time that a step keeps the output to itself while others wait, milliseconds. */
const longestTurn = 5000;
/** More waiting lines than this are printed at once. */
const maxWaiting = 500;
/** A status is printed again after so long, milliseconds, or after so much of its total. */
const statusInterval = 5000;
const statusShare = 0.05;

/**
 * Line by line, as `docker buildx build --progress=plain` prints: every line starts with its step's number, steps that
 * run side by side take turns, a finished step is printed at once.
 */
export class PlainRenderer implements ProgressRenderer {
  readonly #output: ProgressOutput;
  readonly #trace = new Trace();
  readonly #waiting = new Map<Step, string[]>();
  readonly #printedStatus = new Map<Step, Map<string, StepStatus>>();
  readonly #timer: NodeJS.Timeout;
  #current: Step | undefined;
  #turnSince = 0;
  #lastPrint = 0;
  #first = true;

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#timer = setInterval(() => this.#yieldTurn(Date.now()), quietTime);
    this.#timer.unref();
  }

  onEvent(event: BuildEvent): void {
    const { step, lines } = this.#trace.apply(event);
    if (step === undefined || event.type === 'warning' || event.type === 'vertex') return;
    const waiting = this.#waiting.get(step) ?? [];
    this.#waiting.set(step, waiting);
    for (const line of lines) waiting.push(`#${step.number} ${line}`);
    if (event.type === 'status') waiting.push(...this.#statusLine(step, event.name));
    if (event.type === 'completed') {
      waiting.push(...completionLine(step));
      this.#print(step, event.time);
      this.#waiting.delete(step);
      this.#current = undefined;
      this.#yieldTurn(event.time);
    } else if (this.#current === undefined || this.#current === step) {
      this.#print(step, event.time);
    } else {
      this.#yieldTurn(event.time);
    }
  }

  finish(): void {
    clearInterval(this.#timer);
    for (const step of this.#waiting.keys()) this.#print(step, this.#lastPrint);
    this.#writeLines(failedStepsLines(this.#trace.started, failureLines));
    this.#writeLines(warningLines(this.#trace.warnings));
  }

  /** Lets a waiting step print when the current one is done, quiet, or has had its turn. */
  #yieldTurn(now: number): void {
    for (const [step, lines] of this.#waiting) {
      if (step === this.#current || (lines.length === 0 && this.#current !== undefined)) continue;
      const due =
        now - this.#lastPrint >= quietTime || now - this.#turnSince >= longestTurn || lines.length > maxWaiting;
      if (this.#current === undefined || due) {
        this.#print(step, now);
        return;
      }
    }
  }

  #print(step: Step, now: number): void {
    const lines = this.#waiting.get(step) ?? [];
    if (step !== this.#current) {
      const header: string[] = [];
      if (this.#current !== undefined) header.push(`#${this.#current.number} ...`);
      if (!this.#first) header.push('');
      this.#first = false;
      header.push(`#${step.number} ${stepName(step)}`);
      this.#writeLines(header);
      this.#turnSince = now;
    }
    this.#writeLines(lines);
    lines.length = 0;
    this.#current = step;
    this.#lastPrint = now;
  }

  #statusLine(step: Step, name: string): string[] {
    const status = step.statuses.get(name);
    if (status === undefined) return [];
    const printed = this.#printedStatus.get(step) ?? new Map<string, StepStatus>();
    this.#printedStatus.set(step, printed);
    const last = printed.get(name);
    if (last !== undefined && !status.done) {
      const grown = status.total ? (status.current - last.current) / status.total : 0;
      if (grown < statusShare && status.time - last.time < statusInterval) return [];
    }
    printed.set(name, status);
    const amount = statusAmount(status);
    const seconds = (status.time - status.startedAt) / 1000;
    const parts = [
      escapeForTerminal(name),
      ...(amount === '' ? [] : [amount]),
      ...(seconds > 0.01 ? [`${seconds.toFixed(1)}s`] : []),
      ...(status.done ? ['done'] : []),
    ];
    return [`#${step.number} ${parts.join(' ')}`];
  }

  #writeLines(lines: readonly string[]): void {
    if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
  }
}

function completionLine(step: Step): string[] {
  const prefix = `#${step.number}`;
  if (step.error !== undefined) {
    return [step.canceled ? `${prefix} CANCELED` : `${prefix} ERROR: ${escapeForTerminal(step.error.message)}`];
  }
  if (step.cached) return [`${prefix} CACHED`];
  const seconds = ((step.completedAt ?? 0) - (step.startedAt ?? 0)) / 1000;
  return [`${prefix} DONE ${seconds.toFixed(1)}s`];
}

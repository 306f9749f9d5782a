import type { BuildEvent } from '@boxwright/build';
import type { BoxwrightError } from '@boxwright/errors';
import { LogLines } from './log-lines.ts';

/** Lines of a step's output that are kept for the report of a failure. */
const keptLines = 200;

/** Something inside a step that has a size. */
export interface StepStatus {
  readonly name: string;
  readonly current: number;
  readonly total: number | undefined;
  readonly unit: 'bytes' | 'files';
  /** Milliseconds since 1970 of the first report. */
  readonly startedAt: number;
  /** Of the last report. */
  readonly time: number;
  readonly done: boolean;
}

/** Codes of errors that say that the build was stopped, not what went wrong. */
const interruptions: ReadonlySet<string> = new Set(['INTERRUPTED', 'CANCELED', 'ABORT_ERR']);

/** What is known of one step. Times are milliseconds since 1970. */
export interface Step {
  readonly id: string;
  readonly name: string;
  readonly inputs: readonly string[];
  /** Counts started steps from 1: the `#3` of plain output. */
  readonly number: number | undefined;
  readonly startedAt: number | undefined;
  readonly completedAt: number | undefined;
  readonly cached: boolean;
  readonly error: BoxwrightError | undefined;
  /** Stopped because another step failed or the build was interrupted; `error` is then not its own. */
  readonly canceled: boolean;
  readonly statuses: ReadonlyMap<string, StepStatus>;
  /** The last lines of output, safe to print, each with the seconds since the step's start in front. */
  readonly lines: readonly string[];
  /** Lines of output in all. */
  readonly lineCount: number;
}

/** A warning that is shown once, at the end. */
export type BuildWarning = Omit<Extract<BuildEvent, { type: 'warning' }>, 'type'>;

interface MutableStep extends Step {
  name: string;
  inputs: readonly string[];
  number: number | undefined;
  startedAt: number | undefined;
  completedAt: number | undefined;
  cached: boolean;
  error: BoxwrightError | undefined;
  canceled: boolean;
  readonly statuses: Map<string, StepStatus>;
  readonly lines: string[];
  lineCount: number;
  readonly streams: Map<1 | 2, LogLines>;
}

/** The state of a build so far, folded from its events; what the renderers draw from. */
export class Trace {
  readonly #steps = new Map<string, MutableStep>();
  readonly #started: MutableStep[] = [];
  readonly #warnings: BuildWarning[] = [];
  /** Errors that a step has reported; the engine stops the others with the same one. */
  readonly #failures = new Set<BoxwrightError>();
  #completed = 0;

  /** Steps that have started, in that order. */
  get started(): readonly Step[] {
    return this.#started;
  }

  get total(): number {
    return this.#steps.size;
  }

  get completed(): number {
    return this.#completed;
  }

  get warnings(): readonly BuildWarning[] {
    return this.#warnings;
  }

  /** Takes an event in; returns the step it concerns and the lines of output that it completed. */
  apply(event: BuildEvent): { readonly step: Step | undefined; readonly lines: readonly string[] } {
    if (event.type === 'warning') {
      const { type: _, ...warning } = event;
      this.#warnings.push(warning);
      return { step: undefined, lines: [] };
    }
    const step = this.#step(event.id);
    return { step, lines: this.#applyTo(step, event) };
  }

  #applyTo(step: MutableStep, event: Exclude<BuildEvent, { type: 'warning' }>): readonly string[] {
    switch (event.type) {
      case 'vertex':
        step.name = event.name;
        step.inputs = event.inputs;
        return [];
      case 'started':
        this.#start(step, event.time);
        return [];
      case 'cached':
        this.#start(step, event.time);
        step.cached = true;
        return [];
      case 'completed':
        return this.#complete(step, event.time, event.error);
      case 'log': {
        this.#start(step, event.time);
        const lines = streamOf(step, event.stream).push(event.data);
        return keep(step, lines, event.time);
      }
      case 'status': {
        this.#start(step, event.time);
        const startedAt = step.statuses.get(event.name)?.startedAt ?? event.time;
        const { name, current, total, unit, time, done } = event;
        step.statuses.set(name, { name, current, total, unit, startedAt, time, done });
        return [];
      }
      default:
        return event satisfies never;
    }
  }

  #complete(step: MutableStep, time: number, error: BoxwrightError | undefined): readonly string[] {
    this.#start(step, time);
    if (step.completedAt === undefined) this.#completed += 1;
    step.completedAt = time;
    step.error = error;
    step.canceled = error !== undefined && (interruptions.has(error.code) || this.#failures.has(error));
    if (error !== undefined) this.#failures.add(error);
    const rest = [...step.streams.values()].map((stream) => stream.end()).filter((line) => line !== undefined);
    step.streams.clear();
    return keep(step, rest, time);
  }

  #start(step: MutableStep, time: number): void {
    if (step.startedAt !== undefined) return;
    step.startedAt = time;
    this.#started.push(step);
    step.number = this.#started.length;
  }

  #step(id: string): MutableStep {
    let step = this.#steps.get(id);
    if (step === undefined) {
      step = {
        id,
        name: id,
        inputs: [],
        number: undefined,
        startedAt: undefined,
        completedAt: undefined,
        cached: false,
        error: undefined,
        canceled: false,
        statuses: new Map(),
        lines: [],
        lineCount: 0,
        streams: new Map(),
      };
      this.#steps.set(id, step);
    }
    return step;
  }
}

function streamOf(step: MutableStep, stream: 1 | 2): LogLines {
  let lines = step.streams.get(stream);
  if (lines === undefined) {
    lines = new LogLines();
    step.streams.set(stream, lines);
  }
  return lines;
}

function keep(step: MutableStep, lines: readonly string[], time: number): readonly string[] {
  const stamp = formatSeconds((time - (step.startedAt ?? time)) / 1000);
  const stamped = lines.map((line) => `${stamp} ${line}`);
  step.lines.push(...stamped);
  step.lineCount += stamped.length;
  if (step.lines.length > 2 * keptLines) step.lines.splice(0, step.lines.length - keptLines);
  return stamped;
}

/** Seconds with BuildKit's precision: `0.123`, `12.34`, `123.4`. */
function formatSeconds(seconds: number): string {
  return Math.max(0, seconds).toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}

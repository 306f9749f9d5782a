import { createHash } from 'node:crypto';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { BuildEvent } from '../events.ts';

/** One step as those who watch see it. */
export interface StepProgress {
  readonly id: string;
  started(): void;
  cached(): void;
  completed(error?: unknown): void;
  log(stream: 1 | 2, data: Uint8Array): void;
  status(name: string, current: number, total: number | undefined, unit: 'bytes' | 'files', done: boolean): void;
}

/** Turns what happens in a build into {@link BuildEvent}s. */
export class ProgressReporter {
  readonly #emit: (event: BuildEvent) => void;
  #steps = 0;

  constructor(onEvent: ((event: BuildEvent) => void) | undefined) {
    this.#emit = onEvent ?? (() => {});
  }

  /** Announces a step; nothing has happened to it yet. */
  step(name: string, inputs: readonly string[] = []): StepProgress {
    const id = `sha256:${createHash('sha256')
      .update(`${this.#steps++}\0${name}`)
      .digest('hex')}`;
    const emit = this.#emit;
    emit({ type: 'vertex', id, name, inputs });
    let isStarted = false;
    const started = (): void => {
      if (isStarted) return;
      isStarted = true;
      emit({ type: 'started', id, time: Date.now() });
    };
    return {
      id,
      started,
      cached() {
        started();
        emit({ type: 'cached', id, time: Date.now() });
        emit({ type: 'completed', id, time: Date.now() });
      },
      completed(error) {
        started();
        emit({
          type: 'completed',
          id,
          time: Date.now(),
          ...(error === undefined ? {} : { error: asBoxwrightError(error) }),
        });
      },
      log(stream, data) {
        emit({ type: 'log', id, stream, data, time: Date.now() });
      },
      status(name, current, total, unit, done) {
        emit({
          type: 'status',
          id,
          name,
          current,
          ...(total === undefined ? {} : { total }),
          unit,
          time: Date.now(),
          done,
        });
      },
    };
  }

  warning(event: Omit<Extract<BuildEvent, { type: 'warning' }>, 'type'>): void {
    this.#emit({ type: 'warning', ...event });
  }

  /** Runs something as a step of its own: loading the Dockerfile, exporting. */
  async during<T>(name: string, work: (step: StepProgress) => T | Promise<T>): Promise<T> {
    const step = this.step(name);
    step.started();
    try {
      const result = await work(step);
      step.completed();
      return result;
    } catch (error) {
      reportFailure(step, error);
      throw error;
    }
  }
}

/** Failures that a step has shown. */
const shown = new WeakSet<object>();

/** Ends a step with an error, unless another step has shown the same one: what depends on a failed step fails with it. */
export function reportFailure(step: StepProgress | undefined, error: unknown): void {
  if (typeof error === 'object' && error !== null) {
    if (shown.has(error)) return;
    shown.add(error);
  }
  step?.completed(error);
}

/** True for an error that {@link reportFailure} has shown already, where it happened. */
export function wasShown(error: unknown): boolean {
  return typeof error === 'object' && error !== null && shown.has(error);
}

function asBoxwrightError(error: unknown): BoxwrightError {
  if (isBoxwrightError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BoxwrightError('INTERNAL', message, { cause: error });
}

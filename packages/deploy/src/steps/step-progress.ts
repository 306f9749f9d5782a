import type { BuildEvent } from '@boxwright/build';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { Redactor } from './redactor.ts';

/** Longer lines of output are cut into pieces of this many characters before they are shown. */
const maxLine = 16_384;

/** One row of a step's progress: a command, a push. */
export interface ProgressRow {
  readonly id: string;
  /** One line of output; secrets are taken out here. */
  line(text: string, stream?: 1 | 2): void;
  /** Something that has a size. */
  status(name: string, current: number, total: number | undefined, done: boolean): void;
  cached(): void;
  completed(error?: unknown): void;
}

/**
 * Everything that steps report, as the events of builds: whoever renders a build renders a whole deployment. Rows of
 * different steps and deployments never have the same id.
 */
export class StepProgress {
  readonly #onEvent: (event: BuildEvent) => void;
  readonly #redactor: Redactor;
  #rows = 0;

  constructor(redactor: Redactor, onEvent: (event: BuildEvent) => void = () => {}) {
    this.#redactor = redactor;
    this.#onEvent = onEvent;
  }

  /** Begins a row. */
  row(name: string): ProgressRow {
    const id = `step:${this.#rows++}`;
    const emit = this.#onEvent;
    const redactor = this.#redactor;
    emit({ type: 'vertex', id, name: redactor.redact(name), inputs: [] });
    emit({ type: 'started', id, time: Date.now() });
    return {
      id,
      line(text, stream = 1) {
        const data = Buffer.from(`${redactor.redact(text.slice(0, maxLine))}\n`);
        emit({ type: 'log', id, stream, data, time: Date.now() });
      },
      status(what, current, total, done) {
        const size = total === undefined ? {} : { total };
        emit({ type: 'status', id, name: what, current, ...size, unit: 'bytes', time: Date.now(), done });
      },
      cached() {
        emit({ type: 'cached', id, time: Date.now() });
        emit({ type: 'completed', id, time: Date.now() });
      },
      completed(error) {
        const failure = error === undefined ? {} : { error: shownError(error, redactor) };
        emit({ type: 'completed', id, time: Date.now(), ...failure });
      },
    };
  }

  /** Does something as a row of its own. */
  async during<T>(name: string, work: (row: ProgressRow) => Promise<T> | T): Promise<T> {
    const row = this.row(name);
    try {
      const result = await work(row);
      row.completed();
      return result;
    } catch (error) {
      row.completed(error);
      throw error;
    }
  }

  warning(message: string, detail?: string): void {
    const shown = this.#redactor.redact(message);
    this.#onEvent({ type: 'warning', message: shown, ...(detail === undefined ? {} : { detail }) });
  }

  /** Where the events of a build go: each row is marked with what is built. */
  ofBuild(title: string): (event: BuildEvent) => void {
    const prefix = `build:${this.#rows++}:`;
    return (event) => {
      if (event.type === 'warning') {
        this.#onEvent({ ...event, message: this.#redactor.redact(event.message) });
        return;
      }
      const id = prefix + event.id;
      if (event.type === 'vertex') {
        const inputs = event.inputs.map((input) => prefix + input);
        this.#onEvent({ ...event, id, name: this.#redactor.redact(`${title} ${event.name}`), inputs });
      } else if (event.type === 'log') this.#onEvent({ ...event, id, data: this.#redacted(event.data) });
      else this.#onEvent({ ...event, id });
    };
  }

  /** Output need not be text: what holds no secret passes byte for byte. */
  #redacted(data: Uint8Array): Uint8Array {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
    const redacted = this.#redactor.redact(text);
    return redacted === text ? data : Buffer.from(redacted);
  }
}

/** What may be shown of an error. */
function shownError(error: unknown, redactor: Redactor): BoxwrightError {
  const message = error instanceof Error ? error.message : String(error);
  const [code, hint] = isBoxwrightError(error) ? [error.code, error.hint] : ['INTERNAL', undefined];
  return new BoxwrightError(code, redactor.redact(message), { hint, cause: error });
}

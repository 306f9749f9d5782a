import { type EndingSignal, InterruptedError } from './interrupted.ts';

/**
 * A signal within this time after another is the same one again: launchers and npm hand a signal on that the terminal has
 * sent to the whole process group already. Milliseconds.
 */
const sameSignalTime = 500;

/** What becomes of the signals that end the program: the first one aborts, the second one exits unless somebody wants it. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #exit: (code: number) => void;
  readonly #now: () => number;
  #lastAt = Number.NEGATIVE_INFINITY;
  #handle: ((error: InterruptedError) => void) | undefined;

  constructor(exit: (code: number) => void, now: () => number = () => performance.now()) {
    this.#exit = exit;
    this.#now = now;
  }

  /** Aborted, with an {@link InterruptedError}, by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until the answer is disposed of, `handle` gets the second signal, and only a third one exits. */
  onSecond(handle: (error: InterruptedError) => void): Disposable {
    this.#handle = handle;
    return {
      [Symbol.dispose]: () => {
        this.#handle = undefined;
      },
    };
  }

  /** To be called for every signal. */
  receive(signal: EndingSignal): void {
    const now = this.#now();
    if (now - this.#lastAt <= sameSignalTime) return;
    this.#lastAt = now;
    const error = new InterruptedError(signal);
    const handle = this.#handle;
    if (!this.signal.aborted) this.#controller.abort(error);
    else if (handle === undefined) this.#exit(error.exitCode);
    else {
      this.#handle = undefined;
      handle(error);
    }
  }
}

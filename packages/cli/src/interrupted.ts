import { BoxwrightError } from '@boxwright/errors';

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** A signal that ends the program after it has cleaned up. */
export type EndingSignal = keyof typeof numbers;

/** Every {@link EndingSignal}. */
export const endingSignals: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The reason of an abort by a signal: exit code 128 plus the signal's number, as shells report it. */
export class InterruptedError extends BoxwrightError {
  readonly exitCode: number;
  readonly signal: EndingSignal;

  constructor(signal: EndingSignal) {
    super('INTERRUPTED', signal === 'SIGINT' ? 'interrupted' : `stopped by ${signal}`);
    this.signal = signal;
    this.exitCode = 128 + numbers[signal];
  }
}

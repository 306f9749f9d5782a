import { wait } from './wait.ts';

/** Lets requests begin at most so many times in a second. */
export class RequestPace {
  private readonly gapMs: number;
  private next = 0;

  constructor(perSecond: number) {
    this.gapMs = 1000 / perSecond;
  }

  /** Returns when it is this caller's turn. @throws the signal's reason */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.next);
    this.next = at + this.gapMs;
    if (at > now) await wait(at - now, signal);
  }
}

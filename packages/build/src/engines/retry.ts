import { setTimeout as sleep } from 'node:timers/promises';
import { isBoxwrightError } from '@boxwright/errors';

/** How often and how long apart a build is tried again. */
export interface RetryPolicy {
  /** Milliseconds to wait before each further try; as many tries as entries. */
  readonly waits: readonly number[];
  /** Called before each wait. */
  readonly onRetry?: (retry: {
    /** From 1: the try that has failed. */
    readonly attempt: number;
    readonly attempts: number;
    readonly error: Error;
    readonly waitMs: number;
  }) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Prefect's: three more tries after 2, 4 and 8 seconds. */
export const defaultWaits: readonly number[] = [2000, 4000, 8000];

/**
 * Does the work again when it failed for a reason that may pass (`details.transient` of the error), and never after a
 * command of the build has failed: whatever that printed.
 */
export async function withRetries<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  const { waits, onRetry, signal } = policy;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const waitMs = waits[attempt];
      if (waitMs === undefined || !isTransient(error)) throw error;
      onRetry?.({ attempt: attempt + 1, attempts: waits.length + 1, error, waitMs });
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}

function isTransient(error: unknown): error is Error {
  return isBoxwrightError(error) && error.details['transient'] === true;
}

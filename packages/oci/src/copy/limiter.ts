/** Lets so many works run at a time and keeps the others waiting, first come first served. */
export class Limiter {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param slots works at a time, at least 1 */
  constructor(slots: number) {
    this.#free = Math.max(1, slots);
  }

  /** Runs a work when it is its turn. Must not be called from within another work of the same limiter. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The slot is handed on: whoever waits longest gets it, not whoever asks next.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/**
 * Works on every item, so many at a time, and answers in order. After a failure nothing new is begun; what runs is waited
 * for, so that nobody writes any more when this throws.
 *
 * @param failed is told of the first failure at once, for example to end the others
 * @throws the first failure
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<R>,
  failed: (error: unknown) => void = () => undefined,
): Promise<R[]> {
  const results: R[] = [];
  let failure: { readonly error: unknown } | undefined;
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failure !== undefined) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        if (failure === undefined) {
          failure = { error };
          failed(error);
        }
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(items.length, Math.max(1, concurrency)) }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}

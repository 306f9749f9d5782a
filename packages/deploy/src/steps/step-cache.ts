import { createHash } from 'node:crypto';
import type { PlainValue } from '../yaml/index.ts';

/** A result, and whether it was there already. */
export interface CachedResult<T> {
  readonly value: T;
  readonly cached: boolean;
}

/**
 * Results of steps by what they were made of, for one run: equal steps happen once, also when they are asked for at the
 * same time. Failures are not kept. Between runs the engines remember, step by step and by content.
 */
export class StepCache {
  readonly #results = new Map<string, Promise<unknown>>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #readings = new Map<string, Promise<unknown>>();
  readonly #keepsReadings: boolean;

  /**
   * @param keepsReadings what was read from files holds until a step may have changed them: for a run of steps, during
   *   which nobody else is expected to
   */
  constructor({ keepsReadings = false }: { readonly keepsReadings?: boolean } = {}) {
    this.#keepsReadings = keepsReadings;
  }

  /** Tells that a command has run: what was read from files before need not hold any more. */
  filesMayHaveChanged(): void {
    this.#readings.clear();
  }

  /** Something read from files. */
  async reading<T>(key: string, read: () => Promise<T>): Promise<T> {
    if (!this.#keepsReadings) return await read();
    // Only `read` of the same key has put a value here.
    const known = this.#readings.get(key) as Promise<T> | undefined;
    if (known !== undefined) return await known;
    const made = read();
    this.#readings.set(key, made);
    made.catch(() => this.#readings.delete(key));
    return await made;
  }

  /** Does works of one key one after the other, in the order of asking, whether they fail or not. */
  async oneAfterTheOther<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#queues.set(key, mine);
    return await mine;
  }

  /**
   * The result for a key, made when there is none.
   *
   * @param ignore makes it again, and keeps the new one (`ignore_cache`)
   */
  async result<T>(key: string, make: () => Promise<T>, ignore = false): Promise<CachedResult<T>> {
    // Only `make` of the same key has put a value here, and keys begin with what they are for.
    const known = ignore ? undefined : (this.#results.get(key) as Promise<T> | undefined);
    if (known !== undefined) return { value: await known, cached: true };
    const made = make();
    this.#results.set(key, made);
    try {
      return { value: await made, cached: false };
    } catch (error) {
      if (this.#results.get(key) === made) this.#results.delete(key);
      throw error;
    }
  }
}

/**
 * A key: what it is for, then everything that the result depends on, mappings in the order of their names. Credentials are
 * never part of one.
 */
export function cacheKey(
  kind: string,
  parts: Readonly<Record<string, PlainValue | ReadonlyMap<string, PlainValue> | undefined>>,
): string {
  const text = JSON.stringify(canonical(parts));
  return `${kind}:${createHash('sha256').update(text).digest('hex')}`;
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return (value instanceof Map ? [...value] : Object.entries(value))
    .map(([name, item]) => [name, canonical(item)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

import { join } from 'node:path';
import { namesIn } from './files.ts';
import { mayBeAlive, parseOwnedName } from './owner.ts';

/** Longest wait for one sweep: its owner moves a bounded number of files, so more means that it is stopped. */
const longestWaitMs = 30_000;
const pauseMs = 2;

/** Names of the marks with this suffix whose owner may still run. */
export function liveMarks(collections: string, suffix: '.mark' | '.sweep'): string[] {
  return namesIn(collections).filter((name) => {
    const owner = name.endsWith(suffix) ? parseOwnedName(name) : undefined;
    return owner !== undefined && mayBeAlive(owner, join(collections, name));
  });
}

/** True while some process collects garbage in this store. */
export function collectionRunning(collections: string): boolean {
  return liveMarks(collections, '.mark').length > 0;
}

/**
 * Waits (this thread sleeps) until no collector is between reading the leases and taking things away. Such a sweep is
 * one synchronous stretch of milliseconds, so a collector in this very thread is never waited for.
 */
export function waitForSweep(collections: string): void {
  let pause: Int32Array<SharedArrayBuffer> | undefined;
  for (let waited = 0; liveMarks(collections, '.sweep').length > 0 && waited < longestWaitMs; waited += pauseMs) {
    pause ??= new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(pause, 0, 0, pauseMs);
  }
}

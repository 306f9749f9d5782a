import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError } from '@boxwright/errors';
import { removeFile } from './files.ts';
import { ownedName } from './owner.ts';
import { liveMarks } from './sweep-mark.ts';

/** The right to collect garbage: one process at a time has it. */
export interface CollectionMark {
  /** Runs `action` while every session that starts to use something waits; must be short, and is synchronous. */
  sweep<T>(action: () => T): T;
  end(): void;
}

/** Longest wait for another collection. */
const patienceMs = 60_000;

/**
 * Announces a collection, waiting for one that runs already.
 *
 * @throws BoxwrightError STORE_BUSY after a minute, the signal's reason
 */
export async function beginCollection(collections: string, signal?: AbortSignal): Promise<CollectionMark> {
  mkdirSync(collections, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + patienceMs;
  for (;;) {
    signal?.throwIfAborted();
    const name = ownedName();
    const mark = join(collections, `${name}.mark`);
    touch(mark);
    // Announce first, look second: of two that start together at least one sees the other.
    if (liveMarks(collections, '.mark').every((other) => other === `${name}.mark`)) return markOf(collections, name);
    removeFile(mark);
    if (Date.now() > deadline) {
      throw new BoxwrightError('STORE_BUSY', `another process is removing unused content in ${collections}`, {
        hint: 'wait for the other `boxwright prune` or `boxwright rmi` to end',
      });
    }
    await sleep(20 + Math.random() * 80);
  }
}

function markOf(collections: string, name: string): CollectionMark {
  const sweepMark = join(collections, `${name}.sweep`);
  return {
    sweep: (action) => {
      touch(sweepMark);
      try {
        return action();
      } finally {
        removeFile(sweepMark);
      }
    },
    end: () => {
      removeFile(join(collections, `${name}.mark`));
    },
  };
}

function touch(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flock } from '@boxwright/sys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withDirectoryLock } from './directory-lock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'boxwright-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the lock of a directory', () => {
  it('keeps others out while the work is done, and leaves nothing behind', async () => {
    const isFree = (): boolean => {
      const fd = openSync(directory, 'r');
      try {
        return flock(fd, 'exclusive', { nonBlocking: true });
      } finally {
        closeSync(fd);
      }
    };
    let during: boolean | undefined;
    await withDirectoryLock(directory, () => {
      during = isFree();
    });
    expect([during, isFree()]).toEqual([false, true]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is waited for', async () => {
    const order: string[] = [];
    let second: Promise<void> | undefined;
    await withDirectoryLock(directory, () => {
      second = withDirectoryLock(directory, () => {
        order.push('second');
      });
      order.push('first');
    });
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  it('is let go of when the work fails', async () => {
    const failing = withDirectoryLock(directory, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await withDirectoryLock(directory, () => {});
  });
});

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { withDirectoryLock } from './directory-lock.ts';

const newDirectory = temporaryDirectories();

describe('the lock of a directory', () => {
  it('keeps others out while the work is done, and leaves nothing behind', async () => {
    const directory = newDirectory();
    const isFree = (): boolean => {
      try {
        execFileSync('flock', ['--nonblock', directory, 'true'], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
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
    const directory = newDirectory();
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
    const directory = newDirectory();
    const failing = withDirectoryLock(directory, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await withDirectoryLock(directory, () => {});
  });
});

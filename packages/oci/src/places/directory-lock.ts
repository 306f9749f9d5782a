import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { flock } from '@boxwright/sys';
import { errorCode } from '../store/files.ts';

/** What is done under the lock takes milliseconds: who holds it for longer has been stopped. */
const patienceMs = 30_000;
const pauseMs = 10;

/** Systems and file systems that have no such locks, or none for directories (NFS). */
const unsupported: ReadonlySet<string | undefined> = new Set([
  'SYS_UNAVAILABLE',
  'EBADF',
  'EINVAL',
  'ENOLCK',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
]);

/**
 * Does something that no other process does to the same directory at the same time. The lock is the directory's own
 * (flock(2)): no file is left behind, and the kernel lets go of it when its process ends. Where there are no such locks
 * it is done without.
 *
 * @throws BoxwrightError DIRECTORY_BUSY, the file system's error, and what `work` throws
 */
export async function withDirectoryLock(path: string, work: () => void): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    const end = performance.now() + patienceMs;
    while (!isLocked(fd)) {
      if (performance.now() > end) throw busy(path);
      await sleep(pauseMs);
    }
    work();
  } finally {
    closeSync(fd);
  }
}

/** False while another process has it. */
function isLocked(fd: number): boolean {
  try {
    return flock(fd, 'exclusive', { nonBlocking: true });
  } catch (error) {
    if (unsupported.has(errorCode(error))) return true;
    throw error;
  }
}

function busy(path: string): BoxwrightError {
  return new BoxwrightError(
    'DIRECTORY_BUSY',
    `another process has been writing to ${escapeForTerminal(path)} for ${patienceMs / 1000} seconds`,
    { hint: 'Look for one that was stopped, end it, and try again.' },
  );
}

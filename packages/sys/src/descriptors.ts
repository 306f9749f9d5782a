import { constants } from 'node:os';
import { checked, systemCall } from './library.ts';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const operations = { shared: LOCK_SH, exclusive: LOCK_EX, unlock: LOCK_UN };

const flockCall = systemCall('flock', 'int', ['int', 'int']);
const syncfsCall = systemCall('syncfs', 'int', ['int']);

/**
 * Takes, changes or gives up the advisory lock of an open file: flock(2). It belongs to the open file description and
 * goes when the last descriptor of it is closed, so also when the process is killed.
 *
 * Without `nonBlocking` the whole thread waits. Changing between shared and exclusive is not atomic.
 *
 * @returns false when `nonBlocking` and another one holds it
 * @throws SystemCallError
 */
export function flock(
  fd: number,
  operation: 'shared' | 'exclusive' | 'unlock',
  options: { readonly nonBlocking?: boolean } = {},
): boolean {
  const answer = flockCall.tryCall(fd, operations[operation] | (options.nonBlocking === true ? LOCK_NB : 0));
  if (answer === -constants.errno.EWOULDBLOCK) return false;
  checked(answer, 'flock');
  return true;
}

/**
 * Writes everything of the file system that `fd` is on to the disk: syncfs(2).
 *
 * @throws SystemCallError, `EIO` or `ENOSPC` when some earlier write could not be completed (Linux 5.8)
 */
export function syncfs(fd: number): void {
  checked(syncfsCall.tryCall(fd), 'syncfs');
}

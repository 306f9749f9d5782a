import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { errorCode } from '../store/files.ts';

/** A full disk is the user's to mend, so it gets words: DISK_FULL. Other errors pass as they are. */
export function namedWriteError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new BoxwrightError('DISK_FULL', `no space left to write ${escapeForTerminal(path)}`, {
    hint: 'Make room, or write elsewhere.',
    cause: error,
  });
}

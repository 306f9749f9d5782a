import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type ByteString, fromByteString } from '../bytes.ts';

/** The error for an entry that cannot be written: `TAR_WRITE`, with the name escaped in the message. */
export function tarWriteError(path: ByteString, what: string, hint?: string): BoxwrightError {
  const shown = escapeForTerminal(fromByteString(path));
  return new BoxwrightError('TAR_WRITE', `cannot write ${JSON.stringify(shown)} to the tar archive: ${what}`, {
    hint,
    details: { path: shown },
  });
}

import { readFileSync } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { unlessMissing } from '../store/files.ts';

const fileLimit = 1024 * 1024;

/**
 * A file of the docker command; undefined when there is none.
 *
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID when there is one that cannot be read
 */
export function readSmallFile(path: string): Buffer | undefined {
  let bytes: Buffer | undefined;
  try {
    bytes = unlessMissing(() => readFileSync(path));
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error), error);
  }
  if (bytes === undefined || bytes.length <= fileLimit) return bytes;
  throw unreadable(path, `it has more than ${fileLimit} bytes`);
}

function unreadable(path: string, why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError(
    'ENGINE_ADDRESS_INVALID',
    `${escapeForTerminal(path)} cannot be read: ${escapeForTerminal(why)}`,
    { hint: 'it says which Docker Engine is meant, or how to talk to it', cause },
  );
}

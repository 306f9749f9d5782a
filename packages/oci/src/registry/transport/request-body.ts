import type { ClientRequest } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BoxwrightError } from '@boxwright/errors';

/** Pieces are written in parts of at most this many bytes, so that a slow connection shows progress. */
const MAX_WRITE = 256 * 1024;

/** What sending a body tells while it goes. */
export interface BodyProgress {
  /** Before a part is handed to the system. */
  readonly onPart: () => void;
  /** True when the answer is there already and no more is wanted. */
  readonly isOver: () => boolean;
}

/**
 * Writes a streamed body, one part at a time: the next piece is asked for when the system has taken the last one, so
 * nothing piles up here and the source may use its buffer again. Ends the request.
 *
 * @throws errors of the source; those of the connection come as the request's `error` event, and end this quietly
 */
export async function writeBody(
  client: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  size: number | undefined,
  progress: BodyProgress,
): Promise<void> {
  let written = 0;
  for await (const piece of body) {
    written += piece.length;
    if (size !== undefined && written > size) throw sizeError(size, `at least ${written}`);
    for (let at = 0; at < piece.length; at += MAX_WRITE) {
      // Lets an answer in that came early (401, 413): a write to a server that has answered and closed fails, and takes
      // the unread answer along. Only between two turns of the event loop is what has arrived looked for.
      await nextTurn();
      await nextTurn();
      if (progress.isOver() || client.destroyed) return;
      progress.onPart();
      const part = piece.length <= MAX_WRITE ? piece : piece.subarray(at, at + MAX_WRITE);
      // False: the connection is gone, and has said so.
      if (!(await writePart(client, part))) return;
    }
  }
  if (size !== undefined && written < size) throw sizeError(size, `${written}`);
  client.end();
}

function writePart(client: ClientRequest, part: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    client.once('close', closed);
    client.write(part, (error) => {
      client.off('close', closed);
      resolve(error === null || error === undefined);
    });
  });
}

function sizeError(size: number, actual: string): BoxwrightError {
  return new BoxwrightError('INTERNAL', `a request body of ${size} bytes has ${actual}`, { details: { size } });
}

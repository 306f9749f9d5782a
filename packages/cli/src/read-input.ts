import { addAbortSignal, type Readable } from 'node:stream';
import { BoxwrightError } from '@boxwright/errors';

/** All of a stream (standard input) as bytes. @throws BoxwrightError `INPUT_TOO_LARGE` above `limit` bytes */
export async function readInput(input: Readable, limit: number, what: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Nobody has set an encoding, so the chunks are buffers.
  for await (const chunk of addAbortSignal(signal, input) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) {
      throw new BoxwrightError('INPUT_TOO_LARGE', `${what} from standard input has more than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

import { createReadStream } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';

/** All of an open descriptor (standard input) as bytes. @throws BoxwrightError `INPUT_TOO_LARGE` above `limit` bytes */
export async function readInput(fd: number, limit: number, what: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // The path is not used when a descriptor is given.
  const stream = createReadStream('', { fd, autoClose: false, signal });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new BoxwrightError('INPUT_TOO_LARGE', `${what} from standard input has more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

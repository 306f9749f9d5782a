import { BoxwrightError } from '@boxwright/errors';
import type { RegistryRequest } from '../session/registries.ts';
import type { HttpResponse } from '../transport/http.ts';
import { contentLength } from './answers.ts';
import { decodedDocument } from './content-coding.ts';
import { placeOf, type RepositoryContext, withPlace } from './context.ts';

/** How often a body that is cut off is asked for again. */
const maxTries = 4;

/** An answer with the whole of its body. */
export interface WholeAnswer {
  readonly response: HttpResponse;
  readonly bytes: Buffer;
}

/**
 * Sends a request and reads the body, at most `limit` bytes. A body that is cut off is asked for again: the session
 * has done its part when it hands the answer over.
 *
 * @throws BoxwrightError DOCUMENT_TOO_LARGE; errors of sending
 */
export async function readWhole(
  { name, registries }: RepositoryContext,
  request: RegistryRequest,
  limit: number,
): Promise<WholeAnswer> {
  for (let tries = 1; ; tries++) {
    const response = await registries.send(name, request);
    try {
      return { response, bytes: await collect(response, limit, placeOf(name, request.what)) };
    } catch (thrown) {
      const error = withPlace(name, request.what, thrown);
      if (tries === maxTries || !registries.isTransient(error)) throw error;
      await registries.pause(tries, error, request.signal);
    }
  }
}

async function collect(response: HttpResponse, limit: number, place: string): Promise<Buffer> {
  const announced = contentLength(response);
  if (announced !== undefined && announced > limit) {
    await response.discard();
    throw tooLarge(place, announced, limit);
  }
  const bytes = await joined(response.body, limit, place);
  return await joined(decodedDocument(response, bytes, limit), limit, place);
}

async function joined(pieces: AsyncIterable<Uint8Array>, limit: number, place: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > limit) throw tooLarge(place, undefined, limit);
    // A piece is valid until the next one is asked for.
    parts.push(Buffer.from(piece));
  }
  return Buffer.concat(parts, size);
}

function tooLarge(place: string, size: number | undefined, limit: number): BoxwrightError {
  return new BoxwrightError(
    'DOCUMENT_TOO_LARGE',
    `${place} has ${size === undefined ? 'more bytes than' : `${size} bytes, more than`} the ${limit} that one may have`,
    { hint: 'No honest image has one that large.', details: { size, limit } },
  );
}

import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One thing that goes wrong. Positions in bodies are bytes; where the body is known to be shorter, its middle is meant.
 *
 * - `status`: answers this instead; `early`: while the client still sends, then resets the connection
 * - `refuse`: resets the connection before anything is read or done
 * - `lost-answer`: does what was asked, then resets the connection instead of answering
 * - `cut-up`, `cut-down`: resets it in the middle of the request's or the answer's body
 * - `truncate`: the answer's body is shorter, and Content-Length agrees with it
 * - `corrupt`, `corrupt-up`: one byte of the answer's or the request's body is another
 * - `headers`: sets headers of the answer; undefined removes one
 * - `stall`: no answer, ever; `stall-down`: silence in the middle of the answer's body
 * - `delay`: milliseconds before anything is done
 * - `slow-up`, `slow-down`: bytes per second that are taken or given
 */
export type FaultAction =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly early?: boolean;
    }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'lost-answer' }
  | { readonly kind: 'cut-up'; readonly after: number }
  | { readonly kind: 'cut-down'; readonly after: number }
  | { readonly kind: 'truncate'; readonly at: number }
  | { readonly kind: 'corrupt'; readonly at: number }
  | { readonly kind: 'corrupt-up'; readonly at: number }
  | { readonly kind: 'headers'; readonly set: Readonly<Record<string, string | undefined>> }
  | { readonly kind: 'stall' }
  | { readonly kind: 'stall-down'; readonly after: number }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'slow-up'; readonly bytesPerSecond: number }
  | { readonly kind: 'slow-down'; readonly bytesPerSecond: number };

/** Ends the handling of a request whose connection a fault has cut. */
export class FaultCut extends Error {}

/** The request's body as the handler gets it. */
export async function* faultyUpload(incoming: IncomingMessage, fault: FaultAction | undefined): AsyncGenerator<Buffer> {
  const size = Number(incoming.headers['content-length'] ?? Number.NaN);
  const { socket } = incoming;
  let position = 0;
  for await (const data of incoming) {
    // Without an encoding, a request's data are buffers.
    const piece = data as Buffer;
    if (fault?.kind === 'cut-up') {
      const end = middle(fault.after, size);
      if (position + piece.length >= end) {
        if (end > position) yield piece.subarray(0, end - position);
        socket.resetAndDestroy();
        throw new FaultCut('cut on the way up');
      }
    }
    if (fault?.kind === 'slow-up') await sleep((piece.length / fault.bytesPerSecond) * 1000);
    yield fault?.kind === 'corrupt-up' ? flipped(piece, position, middle(fault.at, size)) : piece;
    position += piece.length;
  }
}

/** The answer's headers, as the client gets them. */
export function faultyHeaders(
  headers: Readonly<Record<string, string | readonly string[]>>,
  fault: FaultAction | undefined,
): Record<string, string | readonly string[]> {
  const result = new Map(Object.entries(headers));
  if (fault?.kind === 'headers') {
    for (const [name, value] of Object.entries(fault.set)) {
      if (value === undefined) result.delete(name);
      else result.set(name, value);
    }
  }
  const size = Number(headers['content-length'] ?? Number.NaN);
  if (fault?.kind === 'truncate' && size > 0) result.set('content-length', String(middle(fault.at, size)));
  return Object.fromEntries(result);
}

/** The answer's body, as the client gets it. Throws {@link FaultCut} where the connection is to be cut. */
export async function* faultyDownload(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  size: number,
  fault: FaultAction | undefined,
): AsyncGenerator<Buffer> {
  const end = endOf(fault, size);
  let position = 0;
  for await (const whole of pieces) {
    const piece = whole.subarray(0, Math.max(0, end - position));
    if (fault?.kind === 'slow-down') yield* slowly(piece, fault.bytesPerSecond);
    else if (piece.length > 0) {
      yield fault?.kind === 'corrupt' ? flipped(piece, position, middle(fault.at, size)) : piece;
    }
    position += whole.length;
    if (position >= end) break;
  }
  if (fault?.kind === 'cut-down') {
    await sleep(20); // what was given to the socket leaves it first
    throw new FaultCut('cut on the way down');
  }
  if (fault?.kind === 'stall-down') await new Promise<never>(() => {});
}

function endOf(fault: FaultAction | undefined, size: number): number {
  if (fault?.kind === 'cut-down' || fault?.kind === 'stall-down') return middle(fault.after, size);
  if (fault?.kind === 'truncate') return middle(fault.at, size);
  return Number.POSITIVE_INFINITY;
}

/** Waits until the client gives up. */
export function silence(incoming: IncomingMessage): Promise<never> {
  return new Promise((_, reject) => {
    incoming.resume();
    incoming.socket.once('close', () => reject(new FaultCut('the client has gone')));
  });
}

function middle(position: number, size: number): number {
  return Number.isNaN(size) || position < size ? position : size >> 1;
}

function flipped(piece: Buffer, position: number, at: number): Buffer {
  const index = at - position;
  if (index < 0 || index >= piece.length) return piece;
  const copy = Buffer.from(piece);
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}

async function* slowly(piece: Buffer, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 20));
  for (let start = 0; start < piece.length; start += step) {
    const part = piece.subarray(start, start + step);
    await sleep((part.length / bytesPerSecond) * 1000);
    yield part;
  }
}

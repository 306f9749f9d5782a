import type { ClientRequest, IncomingMessage } from 'node:http';
import { BoxwrightError } from '@boxwright/errors';
import { connectionError, type ExchangeState, lost } from './connection-errors.ts';
import type { HttpResponse } from './http.ts';
import { ReadBuffers } from './read-buffers.ts';
import { readsOf, type SocketReads } from './socket-reads.ts';
import { Watchdog } from './watchdog.ts';

/** A rest of at most this many bytes is read so that the connection can be used again. */
const SHORT_REST = 65_536;
/** … if it comes within this time. */
const SHORT_WAIT_MS = 1000;

/**
 * A body of this many bytes goes past Node's parser. The connection cannot be used again then, and making another takes
 * longer than is won with less.
 */
const LARGE = 16 * 1024 * 1024;

/** An answer whose body is read from the connection while the caller asks for it. */
export class Response implements HttpResponse, AsyncIterator<Uint8Array>, AsyncIterable<Uint8Array> {
  readonly status: number;
  readonly url: URL;
  private readonly message: IncomingMessage;
  private readonly client: ClientRequest;
  private readonly state: ExchangeState;
  private readonly idleMs: number;
  private readonly watchdog: Watchdog;
  private readonly onDone: () => void;
  private readonly values = new Map<string, string[]>();
  private received = 0;
  private done = false;
  private failure: unknown;
  private wake: (() => void) | undefined;
  /** Where a large body is read to, past the parser. */
  private buffers: ReadBuffers | undefined;
  private reads: SocketReads | undefined;
  /** What the parser has seen of a large body was read. */
  private isHeadRead = false;

  /** @param onDone called once, when no more is read */
  constructor(
    message: IncomingMessage,
    client: ClientRequest,
    state: ExchangeState,
    idleMs: number,
    onDone: () => void,
  ) {
    this.status = message.statusCode ?? 0;
    this.url = state.url;
    this.message = message;
    this.client = client;
    this.state = state;
    this.idleMs = idleMs;
    this.onDone = onDone;
    this.watchdog = new Watchdog((what, ms) => {
      this.fail(lost(`no ${what} for ${ms / 1000} s`, state));
    });
    const { rawHeaders } = message;
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = (rawHeaders[index] ?? '').toLowerCase();
      const known = this.values.get(name);
      const value = rawHeaders[index + 1] ?? '';
      if (known === undefined) this.values.set(name, [value]);
      else known.push(value);
    }
    message.on('readable', () => this.wake?.());
    message.on('end', () => this.finish());
    message.on('error', (error) => this.lose(connectionError(error, state)));
    message.on('close', () => {
      if (!this.done && !message.readableEnded) this.lose(lost('it was closed in the middle of the answer', state));
    });
    if (this.isEmpty(client.method)) message.resume();
    else this.divertLarge();
  }

  header(name: string): string | undefined {
    return this.values.get(name)?.[0];
  }

  headers(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  get body(): AsyncIterable<Uint8Array> {
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const piece = this.take();
      if (piece !== undefined) {
        this.received += piece.length;
        return { done: false, value: piece };
      }
      if (this.failure !== undefined) throw this.failure;
      if (this.buffers?.isComplete === true) this.finishDiverted();
      if (this.done) return { done: true, value: undefined };
      await this.more();
    }
  }

  /** The reader wants no more: what is left may be long, so the connection is dropped. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.drop();
    return Promise.resolve({ done: true, value: undefined });
  }

  async bytes(limit: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this) {
      size += piece.length;
      if (size > limit) throw tooLong(this.url, limit);
      // Pieces of a large body are used again.
      pieces.push(this.buffers === undefined ? piece : Buffer.from(piece));
    }
    return Buffer.concat(pieces, size);
  }

  async discard(): Promise<void> {
    if (this.done) return;
    const announced = Number(this.header('content-length') ?? 0);
    const deadline = setTimeout(() => this.drop(), SHORT_WAIT_MS);
    try {
      let rest = announced > SHORT_REST ? -1 : SHORT_REST;
      while (rest >= 0) {
        const { done, value } = await this.next();
        if (done === true) return;
        rest -= value.length;
      }
    } catch {
      // Nobody wants to know.
    } finally {
      clearTimeout(deadline);
      this.drop();
    }
  }

  /** Ends the body with an error, at once, if it has not come to its end. */
  fail(error: unknown): void {
    if (this.done || this.failure !== undefined) return;
    this.failure = error;
    this.buffers = undefined;
    this.isHeadRead = true;
    this.close();
    this.client.destroy();
    this.message.destroy();
  }

  /** Ends the body with an error once what has come was read. */
  private lose(error: unknown): void {
    if (this.done || this.failure !== undefined || this.buffers?.isComplete === true) return;
    this.failure = error;
    this.close();
    this.client.destroy();
    this.message.destroy();
  }

  /** The next bytes that are here. */
  private take(): Uint8Array | undefined {
    if (this.done) return undefined;
    if (!this.isHeadRead) {
      // Without an encoding, pieces are bytes.
      const piece = this.message.read() as Buffer | null;
      if (piece !== null) return piece;
      // Reading on here would let the parser's stream decide when the connection is read.
      this.isHeadRead = this.buffers !== undefined;
    }
    const piece = this.buffers?.take();
    if (this.buffers?.wantsMore === true) this.reads?.resume();
    return piece;
  }

  /** A large body of known size goes past the parser, which would copy it. */
  private divertLarge(): void {
    const length = this.header('content-length') ?? '';
    const isPlain = (this.status === 200 || this.status === 206) && this.header('transfer-encoding') === undefined;
    if (this.client.method !== 'GET' || !isPlain || !/^\d{8,15}$/.test(length) || Number(length) < LARGE) return;
    this.reads = readsOf(this.message.socket);
    if (this.reads === undefined) return;
    // The parser has the rest of the read that the headers came with.
    this.buffers = new ReadBuffers(() => Number(length) - this.received - this.message.readableLength);
    this.reads.divert(this.buffers, () => this.wake?.());
  }

  private finishDiverted(): void {
    if (this.done) return;
    this.done = true;
    this.close();
    // The parser still waits for the body: nothing else can come over this connection.
    this.client.destroy();
  }

  private finish(): void {
    if (this.done) return;
    this.done = true;
    this.close();
    // A refusal that came before the request was sent: the server waits for a rest that will not come.
    if (!this.client.writableFinished && this.status >= 300) this.client.destroy();
  }

  private drop(): void {
    if (this.done || this.failure !== undefined) return;
    this.done = true;
    this.close();
    this.message.destroy();
    this.client.destroy();
  }

  private close(): void {
    this.watchdog.sleep();
    this.wake?.();
    this.onDone();
  }

  private async more(): Promise<void> {
    this.watchdog.watch(`byte of the answer after the first ${this.received}`, this.idleMs);
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
    this.watchdog.sleep();
  }

  private isEmpty(method: string): boolean {
    return method === 'HEAD' || this.status === 204 || this.status === 304 || this.header('content-length') === '0';
  }
}

function tooLong(url: URL, limit: number): BoxwrightError {
  return new BoxwrightError('REGISTRY_ANSWER_INVALID', `the answer of ${url.host} has more than ${limit} bytes`, {
    hint: 'No honest answer is that long; check which server this is.',
    details: { host: url.host, limit, transient: false },
  });
}

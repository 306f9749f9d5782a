import type { ClientRequest, IncomingMessage } from 'node:http';
import { BoxwrightError } from '@boxwright/errors';
import { connectionError, type ExchangeState, lost } from './connection-errors.ts';
import type { HttpResponse } from './http.ts';
import { Watchdog } from './watchdog.ts';

/** A rest of at most this many bytes is read so that the connection can be used again. */
const SHORT_REST = 65_536;
/** … if it comes within this time. */
const SHORT_WAIT_MS = 1000;

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
    message.on('error', (error) => this.fail(connectionError(error, state)));
    message.on('close', () => {
      if (!this.done && !message.readableEnded) this.fail(lost('it was closed in the middle of the answer', state));
    });
    if (this.isEmpty(client.method)) message.resume();
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
      if (this.failure !== undefined) throw this.failure;
      // Without an encoding, pieces are bytes.
      const piece = this.done ? null : (this.message.read() as Buffer | null);
      if (piece !== null) {
        this.received += piece.length;
        return { done: false, value: piece };
      }
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
      pieces.push(piece);
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

  /** Ends the body with an error, if it has not come to its end. */
  fail(error: unknown): void {
    if (this.done || this.failure !== undefined) return;
    this.failure = error;
    this.close();
    this.client.destroy();
    this.message.destroy();
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

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { connectionError, type ExchangeState, lost } from './connection-errors.ts';
import type { HttpRequest } from './http.ts';
import { writeBody } from './request-body.ts';
import { Response } from './response.ts';
import type { Timeouts } from './timeouts.ts';
import { Watchdog } from './watchdog.ts';

/** What one try of an exchange needs. */
export interface ExchangeOptions {
  /** Begun, with its headers, and nothing sent. */
  readonly client: ClientRequest;
  readonly request: HttpRequest;
  /** `http://proxy:3128`, where there is one between. */
  readonly proxy: string | undefined;
  readonly timeouts: Timeouts;
  /** When there is a connection that can be written to. */
  readonly onConnected: (socket: Socket) => void;
}

/** One request on one connection, until its answer begins. @throws as `HttpTransport.send` */
export function exchange(options: ExchangeOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    new Exchange(options, resolve, reject).start();
  });
}

class Exchange {
  private readonly options: ExchangeOptions;
  private readonly client: ClientRequest;
  private readonly request: HttpRequest;
  private readonly resolve: (response: Response) => void;
  private readonly reject: (error: unknown) => void;
  private readonly watchdog: Watchdog;
  private readonly onAbort = (): void => this.fail(this.request.signal?.reason);
  private connected = false;
  private sent = false;
  private bodyDone = false;
  private settled = false;
  private response: Response | undefined;

  constructor(options: ExchangeOptions, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.options = options;
    this.client = options.client;
    this.request = options.request;
    this.resolve = resolve;
    this.reject = reject;
    this.watchdog = new Watchdog((what, ms) => this.fail(lost(`${what} within ${ms / 1000} s`, this.state())));
  }

  start(): void {
    const { client, options, request } = this;
    request.signal?.addEventListener('abort', this.onAbort, { once: true });
    this.watchdog.watch('it did not come about', options.timeouts.connect);
    client.on('error', (error) => this.fail(connectionError(error, this.state())));
    client.on('response', (message) => this.answer(message));
    client.on('socket', (socket: Socket & { secureConnecting?: boolean; encrypted?: boolean }) => {
      if (socket.secureConnecting === true) socket.once('secureConnect', () => this.onConnected(socket));
      else if (socket.connecting) socket.once('connect', () => this.onConnected(socket));
      else this.onConnected(socket);
    });
    // It may have come since the caller asked, before anybody listened.
    if (request.signal?.aborted === true) return this.onAbort();
    // Without a body to wait with, the request goes out with the first packet.
    if (request.body === undefined) client.end();
  }

  private onConnected(socket: Socket): void {
    if (this.settled || this.connected) return;
    this.connected = true;
    this.options.onConnected(socket);
    const { body } = this.request;
    if (body === undefined) return this.onBodyDone();
    if (body instanceof Uint8Array) {
      this.sent = body.length > 0;
      this.watchdog.watch('the request was not taken', this.options.timeouts.commit);
      this.client.end(body, () => this.onBodyDone());
      return;
    }
    writeBody(this.client, body, this.request.bodySize, {
      onPart: () => {
        this.sent = true;
        this.watchdog.watch('nothing of the body was taken', this.options.timeouts.idle);
      },
      isOver: () => this.settled,
    }).then(
      () => this.onBodyDone(),
      (error: unknown) => this.fail(error),
    );
  }

  /** The whole body was handed to the system. */
  private onBodyDone(): void {
    if (this.bodyDone) return;
    this.bodyDone = true;
    if (this.settled) return;
    if (this.response !== undefined) return this.settle(this.response);
    const { timeouts } = this.options;
    const commits = this.request.method === 'PUT' || this.request.method === 'PATCH';
    this.watchdog.watch(
      'it gave no answer',
      this.request.answerTimeoutMs ?? (commits ? timeouts.commit : timeouts.answer),
    );
  }

  private answer(message: IncomingMessage): void {
    const { client, options } = this;
    const done = (): void => this.request.signal?.removeEventListener('abort', this.onAbort);
    this.response = new Response(message, client, this.state(), options.timeouts.idle, done);
    // Anything but success ends the sending. A success that comes early is one only when all was sent.
    if (this.bodyDone || this.response.status >= 300) this.settle(this.response);
  }

  private settle(response: Response): void {
    this.settled = true;
    this.watchdog.sleep();
    this.resolve(response);
  }

  private fail(error: unknown): void {
    const { signal } = this.request;
    const ours = error === signal?.reason && signal?.aborted === true;
    if (this.settled) {
      // The body of the answer tells of its own faults; only the caller's wish is news to it.
      if (ours) this.response?.fail(error);
      return;
    }
    this.settled = true;
    this.watchdog.sleep();
    signal?.removeEventListener('abort', this.onAbort);
    this.reject(error);
    this.client.destroy();
  }

  private state(): ExchangeState {
    return { url: this.request.url, proxy: this.options.proxy, connected: this.connected, sent: this.sent };
  }
}

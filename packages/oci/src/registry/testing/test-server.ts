import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type FaultAction, FaultCut, faultyDownload, faultyHeaders, faultyUpload, silence } from './fault-actions.ts';

/** What a handler gets. The body is iterated once, or left alone. */
export interface TestRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Buffer>;
  /** Common name of the client certificate, where one was asked for and given. */
  readonly clientName: string | undefined;
}

/** What a handler answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Answers requests; what it throws becomes a 500. */
export type Handler = (request: TestRequest) => Promise<Reply>;

/** Certificates in PEM form. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
  /** Client certificates must be issued by this authority. */
  readonly clientCa?: string;
}

/** How to serve. */
export interface ServeOptions {
  readonly tls?: TlsOptions;
  /** Default: any free one. */
  readonly port?: number;
  /** Address to listen at; default 127.0.0.1. */
  readonly address?: string;
  /** Called when a request's head is there; says what to do wrong, if anything. */
  readonly begin?: (request: TestRequest, exchange: Exchange) => FaultAction | undefined;
}

/** What became of one request; filled while it goes on. */
export interface Exchange {
  /** 0 until answered, and for good when the connection is cut first. */
  status: number;
  /** Bytes of the request's body that were taken. */
  received: number;
  /** Bytes of the answer's body that were given to the socket. */
  sent: number;
}

/** A server on a loopback port. */
export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Cuts every connection. */
  close(): Promise<void>;
}

/** Serves a handler, doing what faults ask for on the way in and out. */
export async function serve(handler: Handler, options: ServeOptions = {}): Promise<TestServer> {
  const { tls, address = '127.0.0.1' } = options;
  const scheme = tls === undefined ? 'http' : 'https';
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    incoming.on('error', () => {});
    response.on('error', () => {});
    void answer(handler, options, `${scheme}://${incoming.headers.host ?? 'none'}`, incoming, response);
  };
  const server: Server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer(
          {
            key: tls.key,
            cert: tls.cert,
            ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
          listener,
        );
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((fulfil, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, address, fulfil);
  });
  // A TCP server has an address of this form once it listens.
  const { port } = server.address() as AddressInfo;
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return {
    url: `${scheme}://${host}`,
    host,
    close: () =>
      new Promise((fulfil) => {
        server.close(() => fulfil());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  handler: Handler,
  options: ServeOptions,
  base: string,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const exchange: Exchange = { status: 0, received: 0, sent: 0 };
  const { socket } = incoming; // the message forgets it when it is cut
  const cut = (): void => {
    socket.resetAndDestroy();
  };
  const bare = { method: incoming.method ?? '', url: new URL(incoming.url ?? '/', base), headers: incoming.headers };
  const clientName = clientNameOf(incoming);
  let fault: FaultAction | undefined;
  const body = (): AsyncIterable<Buffer> => counted(faultyUpload(incoming, fault), exchange);
  const request: TestRequest = {
    ...bare,
    clientName,
    body: { [Symbol.asyncIterator]: () => body()[Symbol.asyncIterator]() },
  };
  try {
    fault = options.begin?.(request, exchange);
    if (fault?.kind === 'status' && fault.early === true) {
      answerEarly(incoming, fault.status, fault.headers ?? {}, fault.body ?? '');
      exchange.status = fault.status;
      return;
    }
    if (fault?.kind === 'refuse') return cut();
    if (fault?.kind === 'stall') await silence(incoming);
    if (fault?.kind === 'delay') await wait(fault.ms);
    const reply = fault?.kind === 'status' ? await instead(fault, request) : await handler(request);
    if (fault?.kind === 'lost-answer') {
      discard(reply);
      return cut();
    }
    exchange.status = reply.status;
    await send(reply, fault, request.method, response, exchange);
  } catch (error) {
    // A cut connection on either side is what was asked for; anything else is shown to the client.
    if (socket.destroyed || error instanceof FaultCut) return cut();
    if (response.headersSent) return cut();
    exchange.status = 500;
    response.writeHead(500).end(JSON.stringify({ errors: [{ code: 'UNKNOWN', message: String(error) }] }));
  }
}

/** A body that nobody will read; a proxied one holds a connection. */
function discard({ body }: Reply): void {
  if (body instanceof Readable) body.destroy();
}

async function instead(fault: Extract<FaultAction, { kind: 'status' }>, request: TestRequest): Promise<Reply> {
  for await (const _piece of request.body);
  return { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') };
}

/** What Go's server does: answers while the client still sends, half-closes, and resets the connection a moment later. */
function answerEarly(
  incoming: IncomingMessage,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const { socket } = incoming;
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) });
  socket.end(
    `HTTP/1.1 ${status} Early\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
  setTimeout(() => socket.resetAndDestroy(), 300).unref();
}

async function send(
  reply: Reply,
  fault: FaultAction | undefined,
  method: string,
  response: ServerResponse,
  exchange: Exchange,
): Promise<void> {
  const pieces = reply.body instanceof Uint8Array ? [Buffer.from(reply.body)] : (reply.body ?? []);
  const plain: Record<string, string | readonly string[]> = { ...reply.headers };
  if (reply.body instanceof Uint8Array) plain['content-length'] ??= String(reply.body.length);
  const headers = faultyHeaders(plain, fault);
  response.sendDate = true;
  response.writeHead(reply.status, outgoing(headers));
  const hasBody = method !== 'HEAD' && reply.status !== 204 && reply.status !== 304 && reply.body !== undefined;
  if (hasBody) {
    const size = Number(plain['content-length'] ?? Number.NaN);
    for await (const piece of faultyDownload(pieces, size, fault)) {
      exchange.sent += piece.length;
      if (!response.write(piece)) await drained(response);
    }
  }
  response.end();
}

function outgoing(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((fulfil, reject) => {
    if (response.destroyed) {
      reject(new FaultCut('the client has gone'));
      return;
    }
    const done = (): void => {
      response.off('drain', done);
      response.off('close', gone);
      fulfil();
    };
    const gone = (): void => {
      response.off('drain', done);
      reject(new FaultCut('the client has gone'));
    };
    response.once('drain', done);
    response.once('close', gone);
  });
}

async function* counted(pieces: AsyncIterable<Buffer>, exchange: Exchange): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    exchange.received += piece.length;
    yield piece;
  }
}

function clientNameOf(incoming: IncomingMessage): string | undefined {
  if (!('getPeerCertificate' in incoming.socket) || typeof incoming.socket.getPeerCertificate !== 'function') {
    return undefined;
  }
  const { subject } = incoming.socket.getPeerCertificate();
  return subject?.CN;
}

function wait(ms: number): Promise<void> {
  return new Promise((fulfil) => {
    setTimeout(fulfil, ms);
  });
}

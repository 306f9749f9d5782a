import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from 'node:https';
import { createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net';

/** A server on a loopback address that a test talks to. */
export interface LoopbackServer {
  /** `127.0.0.1:PORT`, or with the host name that was asked for. */
  readonly host: string;
  readonly url: URL;
  readonly port: number;
  /** Requests so far: `GET /v2/`. */
  readonly requests: string[];
  /** Connections so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** What a test's server is. */
export interface LoopbackOptions {
  readonly tls?: TlsOptions;
  /** Address to listen on; default 127.0.0.1. */
  readonly address?: string;
  /** Name in the URL; default the address. */
  readonly name?: string;
}

/** Answers to one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Starts an HTTP server; errors of the handler become status 599. */
export async function startServer(handler: Handler, options: LoopbackOptions = {}): Promise<LoopbackServer> {
  const requests: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(`${request.method} ${request.url}`);
    Promise.resolve(handler(request, response)).catch((error: unknown) => {
      response.statusCode = 599;
      response.end(String(error));
    });
  };
  const server: Server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  return listen(server, requests, options);
}

/** Starts a server that talks in bytes. */
export async function startRawServer(
  onConnection: (socket: Socket) => void,
  options: LoopbackOptions = {},
): Promise<LoopbackServer> {
  const server = createRawServer((socket) => {
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  return listen(server, [], options);
}

async function listen(server: RawServer, requests: string[], options: LoopbackOptions): Promise<LoopbackServer> {
  const { address = '127.0.0.1', tls } = options;
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const host = `${options.name ?? address}:${port}`;
  return {
    host,
    port,
    url: new URL(`${tls === undefined ? 'http' : 'https'}://${host}/`),
    requests,
    connections: () => connections,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The whole body of a request. */
export async function readRequest(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer); // without an encoding, pieces are bytes
  return Buffer.concat(pieces);
}

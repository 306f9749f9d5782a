import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { builtins } from '../registry/transport/builtins.ts';
import { type BodyProgress, writeBody } from '../registry/transport/request-body.ts';
import type { EngineAddress } from './engine-address.ts';
import { unreachable, unusableCertificates } from './engine-unreachable.ts';

/** A request of the Engine API (docs.docker.com/reference/api/engine). */
export interface EngineRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Below the version: `/images/json`. */
  readonly path: string;
  /** A list gives the key several times. */
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** JSON, or bytes as they come. */
  readonly body?: { readonly json: unknown } | { readonly bytes: AsyncIterable<Uint8Array>; readonly type: string };
  readonly signal?: AbortSignal | undefined;
}

const connectMs = 10_000;
/** Some engines answer while they still read: only a lost connection ends the sending. */
const untold: BodyProgress = { onPart: () => undefined, isOver: () => false };

/** Sends a request and waits for the head of the answer. @throws BoxwrightError ENGINE_UNREACHABLE, ENGINE_TLS, ENGINE_DENIED */
export async function exchange(address: EngineAddress, path: string, request: EngineRequest): Promise<IncomingMessage> {
  const { body, signal } = request;
  signal?.throwIfAborted();
  const json = body !== undefined && 'json' in body ? Buffer.from(JSON.stringify(body.json)) : undefined;
  const type = body === undefined ? undefined : 'json' in body ? 'application/json' : body.type;
  const options = optionsOf(address, path, request, {
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(json === undefined ? {} : { 'content-length': String(json.length) }),
  });
  return new Promise((fulfil, reject) => {
    const sent = open(address, options);
    watch(sent, (error) => reject(signal?.aborted === true ? signal.reason : unreachable(address, error)));
    sent.once('response', fulfil);
    if (body !== undefined && 'bytes' in body)
      void writeBody(sent, body.bytes, undefined, untold).catch((error: unknown) => sent.destroy(asError(error)));
    else sent.end(json);
  });
}

/**
 * Asks for another protocol. The answer is the connection, or what the engine says instead.
 *
 * @throws BoxwrightError ENGINE_UNREACHABLE, ENGINE_TLS, ENGINE_DENIED
 */
export async function upgrade(
  address: EngineAddress,
  path: string,
  request: EngineRequest,
  protocol: string,
): Promise<{ readonly socket: Duplex } | { readonly response: IncomingMessage }> {
  const { signal } = request;
  signal?.throwIfAborted();
  return new Promise((fulfil, reject) => {
    const sent = open(address, optionsOf(address, path, request, { connection: 'Upgrade', upgrade: protocol }));
    watch(sent, (error) => reject(signal?.aborted === true ? signal.reason : unreachable(address, error)));
    sent.once('response', (response) => fulfil({ response }));
    sent.once('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      fulfil({ socket });
    });
    sent.end();
  });
}

function optionsOf(
  address: EngineAddress,
  path: string,
  { method, headers, signal }: EngineRequest,
  further: Readonly<Record<string, string>>,
): RequestOptions {
  return {
    method,
    path,
    ...(address.socketPath === undefined
      ? { host: address.host ?? 'localhost', port: address.port }
      : { socketPath: address.socketPath }),
    // A socket has no name, but HTTP wants one. Over the network it is the engine's own, for which its certificate is.
    headers: { ...(address.socketPath === undefined ? {} : { host: 'docker' }), ...further, ...headers },
    ...(signal === undefined ? {} : { signal }),
    // One connection per request: streams of images would hold it for long anyway, and the process can end.
    agent: false,
  };
}

/** Ends a request whose connection does not come about. */
function watch(sent: ClientRequest, onError: (error: Error) => void): void {
  const slow = setTimeout(() => sent.destroy(new Error('it does not answer')), connectMs);
  sent.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', () => clearTimeout(slow));
    else clearTimeout(slow);
  });
  sent.once('close', () => clearTimeout(slow));
  // Kept: a connection that breaks later has to be an error of the answer, not one of the process.
  sent.on('error', (error) => {
    clearTimeout(slow);
    onError(error);
  });
}

/** @throws BoxwrightError ENGINE_TLS for certificates that are none, or a key of another one */
function open(address: EngineAddress, options: RequestOptions): ClientRequest {
  if (address.tls === undefined) return builtins.http.request(options);
  const { ca, cert, key, verify } = address.tls;
  try {
    return builtins.https.request({ ...options, ca, cert, key, rejectUnauthorized: verify });
  } catch (error) {
    throw unusableCertificates(address, asError(error));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

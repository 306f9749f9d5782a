import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { EngineAddress } from './engine-address.ts';

/** A request of the Engine API (docs.docker.com/reference/api/engine). */
export interface EngineRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Below the version: `/images/json`. */
  readonly path: string;
  /** A list gives the key several times. */
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or bytes as they come. */
  readonly body?: { readonly json: unknown } | { readonly bytes: AsyncIterable<Uint8Array>; readonly type: string };
  readonly signal?: AbortSignal | undefined;
}

/** What the engine answered, with a status below 400. */
export interface EngineResponse {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** @throws BoxwrightError ENGINE_ANSWER_INVALID */
  json(): Promise<unknown>;
  /** Reads what is left and drops it. */
  discard(): Promise<void>;
}

/** A Docker Engine, by its API. */
export interface EngineClient {
  readonly address: EngineAddress;
  /** Version of the API that is spoken: the engine's, but no newer than this code knows. */
  apiVersion(): Promise<string>;
  /**
   * @throws BoxwrightError ENGINE_UNREACHABLE (nobody listens), ENGINE_DENIED (the socket is not ours), ENGINE_NOT_FOUND
   *   (404), ENGINE_FAILED (any other status from 400 on, with the engine's words), ENGINE_ANSWER_INVALID
   */
  request(request: EngineRequest): Promise<EngineResponse>;
}

/** Docker 28's; answers of newer ones may have other shapes. */
const newestKnown = 1.51;
const answerLimit = 16 * 1024 * 1024;
const errorLimit = 64 * 1024;
const connectMs = 10_000;

/** Talks to the engine at an address. Nothing is sent before the first request. */
export function engineClient(address: EngineAddress): EngineClient {
  let version: Promise<string> | undefined;
  const apiVersion = (): Promise<string> => {
    version ??= negotiate(address).catch((error: unknown) => {
      version = undefined;
      throw error;
    });
    return version;
  };
  return {
    address,
    apiVersion,
    request: async (request) => {
      const response = await exchange(address, `/v${await apiVersion()}${request.path}${queryOf(request)}`, request);
      return answered(address, request, response);
    },
  };
}

/** Every engine answers a ping, whatever versions it speaks. */
async function negotiate(address: EngineAddress): Promise<string> {
  const response = await exchange(address, '/_ping', { method: 'GET', path: '/_ping' });
  for await (const _ of response);
  const theirs = Number(response.headers['api-version']);
  if (!Number.isFinite(theirs))
    throw answerInvalid(address, 'GET /_ping', 'it names no API version: is this a Docker Engine?');
  return Math.min(theirs, newestKnown).toFixed(2);
}

async function exchange(address: EngineAddress, path: string, request: EngineRequest): Promise<IncomingMessage> {
  const { body, signal } = request;
  signal?.throwIfAborted();
  const json = body !== undefined && 'json' in body ? Buffer.from(JSON.stringify(body.json)) : undefined;
  const type = body === undefined ? undefined : 'json' in body ? 'application/json' : body.type;
  const options: RequestOptions = {
    method: request.method,
    path,
    headers: {
      host: 'docker',
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(json === undefined ? {} : { 'content-length': json.length }),
      ...request.headers,
    },
    ...(address.socketPath === undefined
      ? { host: address.host ?? 'localhost', port: address.port }
      : { socketPath: address.socketPath }),
    ...(signal === undefined ? {} : { signal }),
    // One connection per request: streams of images would hold it for long anyway, and the process can end.
    agent: false,
  };
  return new Promise((fulfil, reject) => {
    const sent = open(address, options);
    const slow = setTimeout(() => sent.destroy(new Error('it does not answer')), connectMs);
    sent.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => clearTimeout(slow));
      else clearTimeout(slow);
    });
    sent.once('error', (error) => {
      clearTimeout(slow);
      reject(signal?.aborted === true ? signal.reason : unreachable(address, error));
    });
    sent.once('response', (response) => {
      clearTimeout(slow);
      fulfil(response);
    });
    if (body !== undefined && 'bytes' in body)
      void sendBytes(sent, body.bytes).catch((error: unknown) => sent.destroy(asError(error)));
    else sent.end(json);
  });
}

function open(address: EngineAddress, options: RequestOptions): ClientRequest {
  if (address.tls === undefined) return process.getBuiltinModule('node:http').request(options);
  const { ca, cert, key, verify } = address.tls;
  return process.getBuiltinModule('node:https').request({ ...options, ca, cert, key, rejectUnauthorized: verify });
}

/** The engine may answer, and stop reading, before all was sent: that is its answer's business. */
async function sendBytes(sent: ClientRequest, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of bytes) {
    if (sent.destroyed || sent.writableEnded) return;
    // The request keeps what it is given until it is sent; the piece is used again before.
    if (!sent.write(Buffer.from(piece))) await drained(sent);
  }
  sent.end();
}

function drained(sent: ClientRequest): Promise<void> {
  return new Promise((fulfil) => {
    const done = (): void => {
      sent.off('drain', done).off('close', done);
      fulfil();
    };
    sent.once('drain', done).once('close', done);
  });
}

async function answered(
  address: EngineAddress,
  request: EngineRequest,
  response: IncomingMessage,
): Promise<EngineResponse> {
  const status = response.statusCode ?? 0;
  const asked = `${request.method} ${request.path}`;
  if (status >= 400) throw await refused(asked, status, response);
  return {
    status,
    body: response,
    json: async () => parseAnswer(address, asked, await collect(response, answerLimit, address, asked)),
    discard: async () => {
      response.resume();
      await new Promise((fulfil) => response.once('close', fulfil));
    },
  };
}

async function refused(asked: string, status: number, response: IncomingMessage): Promise<BoxwrightError> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response) {
    length += piece.length;
    if (length <= errorLimit) pieces.push(piece);
  }
  const message = messageOf(Buffer.concat(pieces).toString());
  return new BoxwrightError(
    status === 404 ? 'ENGINE_NOT_FOUND' : 'ENGINE_FAILED',
    `the Docker Engine says: ${escapeForTerminal(message.slice(0, 2000))}`,
    { details: { status, request: asked } },
  );
}

function messageOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string')
      return value.message;
  } catch {
    // Not JSON: shown as it is.
  }
  return text.trim();
}

async function collect(
  response: IncomingMessage,
  limit: number,
  address: EngineAddress,
  asked: string,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response) {
    length += piece.length;
    if (length > limit) throw answerInvalid(address, asked, `more than ${limit} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function parseAnswer(address: EngineAddress, asked: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw answerInvalid(address, asked, 'it is not JSON');
  }
}

function queryOf({ query }: EngineRequest): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) parameters.append(key, one);
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function unreachable(address: EngineAddress, error: Error): BoxwrightError {
  const code = 'code' in error ? error.code : undefined;
  const where = `${escapeForTerminal(address.text)} (${address.origin})`;
  if (code === 'EACCES' || code === 'EPERM') {
    return new BoxwrightError('ENGINE_DENIED', `this user may not talk to the Docker Engine at ${where}`, {
      hint: 'join the group of the socket (often `docker`), or use another engine with DOCKER_HOST',
      cause: error,
    });
  }
  return new BoxwrightError(
    'ENGINE_UNREACHABLE',
    `no Docker Engine answers at ${where}: ${escapeForTerminal(error.message)}`,
    {
      hint: 'start Docker, or name another engine with DOCKER_HOST or DOCKER_CONTEXT',
      cause: error,
    },
  );
}

function answerInvalid({ text }: EngineAddress, asked: string, why: string): BoxwrightError {
  return new BoxwrightError(
    'ENGINE_ANSWER_INVALID',
    `the answer of ${escapeForTerminal(text)} to ${asked} cannot be used: ${why}`,
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { EngineAddress } from './engine-address.ts';
import { type EngineRequest, exchange, upgrade } from './engine-exchange.ts';
import { wantsTls } from './engine-unreachable.ts';

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
  /** True when the engine says that builds are BuildKit's by default (`Builder-Version: 2` of a ping). */
  prefersBuildKit(): Promise<boolean>;
  /**
   * @throws BoxwrightError ENGINE_UNREACHABLE (nobody listens), ENGINE_TLS (no trust in each other), ENGINE_DENIED (the
   *   socket is not ours), ENGINE_NOT_FOUND (404), ENGINE_FAILED (any other status from 400 on, with the engine's words), ENGINE_ANSWER_INVALID
   */
  request(request: EngineRequest): Promise<EngineResponse>;
  /**
   * Turns a connection over to another protocol, in which both sides may speak first.
   *
   * @throws BoxwrightError as request; ENGINE_FAILED also when the engine stays with HTTP
   */
  upgrade(request: EngineRequest, protocol: string): Promise<Duplex>;
}

/** Docker 28's; answers of newer ones may have other shapes. */
const newestKnown = 1.51;
const answerLimit = 16 * 1024 * 1024;
const errorLimit = 64 * 1024;

/** Talks to the engine at an address. Nothing is sent before the first request. */
export function engineClient(address: EngineAddress): EngineClient {
  let known: Promise<Ping> | undefined;
  const ping = (): Promise<Ping> => {
    known ??= negotiate(address).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  const pathOf = async (request: EngineRequest): Promise<string> =>
    `/v${(await ping()).apiVersion}${request.path}${queryOf(request)}`;
  return {
    address,
    apiVersion: async () => (await ping()).apiVersion,
    prefersBuildKit: async () => (await ping()).builder === '2',
    request: async (request) => answered(address, request, await exchange(address, await pathOf(request), request)),
    upgrade: async (request, protocol) => {
      const changed = await upgrade(address, await pathOf(request), request, protocol);
      if ('socket' in changed) return changed.socket;
      await answered(address, request, changed.response);
      changed.response.destroy();
      throw new BoxwrightError('ENGINE_FAILED', `the Docker Engine does not speak ${protocol} at ${request.path}`, {
        hint: 'is there a proxy between here and the engine?',
      });
    },
  };
}

/** What an engine says of itself. */
interface Ping {
  readonly apiVersion: string;
  readonly builder: string | undefined;
}

/** Every engine answers a ping, whatever versions it speaks. */
async function negotiate(address: EngineAddress): Promise<Ping> {
  const response = await exchange(address, '/_ping', { method: 'GET', path: '/_ping' });
  const text = (await collect(response, errorLimit, address, 'GET /_ping')).toString('latin1');
  // Go's words to a client without TLS.
  if (response.statusCode === 400 && /HTTP request to an HTTPS server/i.test(text)) throw wantsTls(address);
  const theirs = Number(response.headers['api-version']);
  if (!Number.isFinite(theirs))
    throw answerInvalid(address, 'GET /_ping', 'it names no API version: is this a Docker Engine?');
  const builder = response.headers['builder-version'];
  return {
    apiVersion: Math.min(theirs, newestKnown).toFixed(2),
    builder: typeof builder === 'string' ? builder : undefined,
  };
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
      if (response.closed) return;
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

function answerInvalid({ text }: EngineAddress, asked: string, why: string): BoxwrightError {
  return new BoxwrightError(
    'ENGINE_ANSWER_INVALID',
    `the answer of ${escapeForTerminal(text)} to ${asked} cannot be used: ${why}`,
  );
}

import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { Registries, RegistryRequest } from '../../session/registries.ts';
import type { HttpResponse } from '../../transport/http.ts';

/** What a test may look at. */
export interface DirectRegistries extends Registries {
  /** `METHOD target`, with the Range in brackets. */
  readonly sent: string[];
  readonly requests: RegistryRequest[];
}

/** Registries without authentication, mirrors, retries and redirects, all at one address: what a client test needs. */
export function directRegistries(address: string): DirectRegistries {
  const sent: string[] = [];
  const requests: RegistryRequest[] = [];
  return {
    sent,
    requests,
    send: async (repository, request) => {
      const url = new URL(request.target, address);
      requests.push(request);
      const range = request.headers?.['range'];
      sent.push(`${request.method} ${url.pathname}${url.search}${range === undefined ? '' : ` [${range}]`}`);
      const response = await exchange(url, request);
      if (request.expect.includes(response.status)) return response;
      await response.discard();
      const code = response.status === 404 ? 'REGISTRY_NOT_FOUND' : 'REGISTRY_REFUSED';
      throw new BoxwrightError(code, `${repository.path}: ${request.what}: ${response.status}`, {
        details: { registry: repository.registry },
      });
    },
    ping: async () => undefined,
    concurrency: () => 4,
    pause: async () => undefined,
    isTransient: (error) => isBoxwrightError(error) && error.code === 'REGISTRY_CONNECTION',
    close: () => undefined,
  };
}

async function exchange(url: URL, { method, headers, body, signal }: RegistryRequest): Promise<HttpResponse> {
  const request = httpRequest(url, { method, headers: { ...headers }, ...(signal === undefined ? {} : { signal }) });
  // Connections that break later on break the answer's body, which says so.
  request.on('error', () => undefined);
  request.end(typeof body === 'function' ? undefined : body);
  // The one event argument of "response".
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return responseOf(url, message);
}

function responseOf(url: URL, message: IncomingMessage): HttpResponse {
  const body = bodyOf(message);
  return {
    status: message.statusCode ?? 0,
    url,
    header: (name) => message.headersDistinct[name]?.[0],
    headers: (name) => message.headersDistinct[name] ?? [],
    body,
    bytes: async () => {
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    discard: async () => {
      message.destroy();
    },
  };
}

async function* bodyOf(message: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    // A message without an encoding gives buffers.
    for await (const piece of message) yield piece as Buffer;
  } catch (cause) {
    throw new BoxwrightError('REGISTRY_CONNECTION', 'the connection was lost', { cause });
  }
}

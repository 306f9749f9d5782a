import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { Registries, RegistryRequest } from '../../session/registries.ts';
import type { HttpResponse } from '../../transport/http.ts';

/**
 * One registry at a plain HTTP address, with the retries of the contract and nothing else: no authentication, no
 * redirects, no mirrors. So tests of uploads see what uploads do by themselves.
 */
export function plainRegistries(address: string): Registries {
  const agent = new Agent({ keepAlive: true });
  return {
    send: async (repository, request) => {
      const safe = request.retry === 'safe' || request.method === 'GET' || request.method === 'HEAD';
      for (let tries = 1; ; tries++) {
        try {
          const response = await exchange(agent, new URL(request.target, address), request);
          if (request.expect.includes(response.status)) return response;
          await response.discard();
          throw refusal(response.status, `${repository.path}: ${request.what}`);
        } catch (error) {
          if (!safe || tries >= 3 || !isTransient(error)) throw error;
        }
      }
    },
    concurrency: () => 4,
    pause: async (_tries, _error, signal) => signal?.throwIfAborted(),
    isTransient,
    ping: async () => undefined,
    close: () => agent.destroy(),
  };
}

const transient: readonly string[] = ['REGISTRY_CONNECTION', 'REGISTRY_UNAVAILABLE', 'REGISTRY_RATE_LIMITED'];

function isTransient(error: unknown): boolean {
  return isBoxwrightError(error) && transient.includes(error.code);
}

function refusal(status: number, what: string): BoxwrightError {
  const code = status >= 500 ? 'REGISTRY_UNAVAILABLE' : status === 429 ? 'REGISTRY_RATE_LIMITED' : 'REGISTRY_REFUSED';
  return new BoxwrightError(code, `${what}: ${status}`, { details: { status } });
}

async function exchange(agent: Agent, url: URL, request: RegistryRequest): Promise<HttpResponse> {
  const { method, body, bodySize, signal } = request;
  const headers: Record<string, string | number> = { ...request.headers };
  if (bodySize !== undefined) headers['content-length'] = bodySize;
  signal?.throwIfAborted();
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const fail = (cause: unknown): void => {
      reject(signal?.aborted === true ? signal.reason : new BoxwrightError('REGISTRY_CONNECTION', 'lost', { cause }));
    };
    const outgoing = httpRequest(url, { agent, method, headers, ...(signal === undefined ? {} : { signal }) });
    let answered = false;
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      answered = true;
      resolve(response);
    });
    if (typeof body !== 'function') {
      outgoing.end(body);
      return;
    }
    const sendAll = async (): Promise<void> => {
      for await (const piece of body()) {
        if (answered || outgoing.destroyed) return;
        // Until it is taken by the kernel: pieces are valid only until the next one is asked for.
        await new Promise<void>((taken) => outgoing.write(piece, () => taken()));
      }
      outgoing.end();
    };
    sendAll().catch((error: unknown) => {
      outgoing.destroy();
      reject(error);
    });
  });
  return responseOf(url, message);
}

function responseOf(url: URL, message: IncomingMessage): HttpResponse {
  const all = async (): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    // A message without an encoding gives buffers.
    for await (const piece of message) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  };
  return {
    status: message.statusCode ?? 0,
    url,
    header: (name) => message.headersDistinct[name]?.[0],
    headers: (name) => message.headersDistinct[name] ?? [],
    body: message,
    bytes: all,
    discard: async () => {
      await all();
    },
  };
}

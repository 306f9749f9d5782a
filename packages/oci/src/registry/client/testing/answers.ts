import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { openRepository } from '../open-repository.ts';
import type { Repository } from '../repository.ts';
import { type DirectRegistries, directRegistries } from './direct-registries.ts';

/** One answer of a server that says whatever a test wants. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

/** A server with a repository `team/app` on it. */
export interface AnsweringServer {
  readonly url: string;
  readonly registries: DirectRegistries;
  readonly repository: Repository;
}

/** Starts a server for hostile answers, which no registry would give; it ends with the test. */
export async function startAnswers(
  answer: (request: IncomingMessage, url: URL, response: ServerResponse) => Answer | undefined,
): Promise<AnsweringServer> {
  const server = createServer((request, response) => {
    request.resume();
    const reply = answer(request, new URL(request.url ?? '/', 'http://server.test'), response);
    if (reply === undefined) return;
    const { status = 200, headers = {}, body = '' } = reply;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.statusCode = status;
    response.end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const host = `127.0.0.1:${address.port}`;
  const registries = directRegistries(`http://${host}`);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return {
    url: `http://${host}`,
    registries,
    repository: openRepository(registries, { registry: host, path: 'team/app' }),
  };
}

/** All pieces of a blob, joined. */
export async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  // Copied: a piece is valid until the next one is asked for.
  for await (const piece of pieces) parts.push(Buffer.from(piece));
  return Buffer.concat(parts);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import type { HttpTransport } from '../http.ts';
import { createTransport, type TransportOptions } from '../transport.ts';
import { type Handler, type LoopbackServer, startRawServer, startServer } from './loopback-server.ts';

/** Transports and servers that end with the test that made them. */
export interface TransportBench {
  readonly transportWith: (options?: TransportOptions) => HttpTransport;
  readonly serve: (handler: Handler) => Promise<LoopbackServer>;
  readonly serveRaw: (onConnection: Parameters<typeof startRawServer>[0]) => Promise<LoopbackServer>;
}

/** Called once in a test file. */
export function transportBench(): TransportBench {
  const stops: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  const stoppedLater = (server: LoopbackServer): LoopbackServer => {
    stops.push(() => server.stop());
    return server;
  };
  return {
    transportWith: (options = {}) => {
      const transport = createTransport(options);
      stops.push(() => transport.close());
      return transport;
    },
    serve: async (handler) => stoppedLater(await startServer(handler)),
    serveRaw: async (onConnection) => stoppedLater(await startRawServer(onConnection)),
  };
}

/** A stream of pieces of one size, each filled with its number, that come one by one. */
export async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) {
    await sleep(0);
    yield Buffer.alloc(size, index);
  }
}

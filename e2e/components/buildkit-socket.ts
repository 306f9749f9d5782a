import { connect, createServer, type Socket } from 'node:net';
import type { AfterTest } from '../support/registries.ts';

/**
 * A socket on which the BuildKit of a Docker Engine is spoken to as a `remote` builder of buildx is: gRPC and nothing else.
 * The engine hands it out on request (`POST /grpc`), so that no buildkitd has to be installed.
 *
 * @param engine the engine's socket
 * @param path where to listen
 */
export async function buildkitSocket(engine: string, path: string, after: AfterTest): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(engine);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).once('close', () => other.destroy());
    }
    upstream.write('POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    let head = Buffer.alloc(0);
    upstream.on('data', function answered(chunk: Buffer) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      upstream.off('data', answered);
      if (!head.toString('latin1').startsWith('HTTP/1.1 101')) client.destroy();
      client.write(head.subarray(end + 4));
      client.pipe(upstream).pipe(client);
    });
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((fulfil) => server.close(() => fulfil()));
  });
  await new Promise<void>((fulfil) => server.listen(path, fulfil));
}

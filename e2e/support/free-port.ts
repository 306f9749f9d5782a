import { createServer } from 'node:net';

/** A loopback port that nobody uses, for programs that cannot choose one by themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((fulfil) => server.listen(0, '127.0.0.1', fulfil));
  const address = server.address();
  await new Promise<void>((fulfil) => server.close(() => fulfil()));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

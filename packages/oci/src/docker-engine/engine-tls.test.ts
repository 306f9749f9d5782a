import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestAuthority } from '../registry/testing/index.ts';
import type { EngineAddress } from './engine-address.ts';
import { engineClient } from './engine-client.ts';
import type { EngineTls } from './engine-tls.ts';

const authority = new TestAuthority();
const stranger = new TestAuthority('stranger');
const client = authority.issue({ name: 'client' });
const mine = { ca: Buffer.from(authority.ca), cert: Buffer.from(client.cert), key: Buffer.from(client.key) };
let server: Server;
let port: number;
let hosts: (string | undefined)[];

beforeEach(async () => {
  const { cert, key } = authority.issue({ name: 'engine', hosts: ['127.0.0.1', 'localhost'] });
  hosts = [];
  server = createServer(
    { cert, key, ca: authority.ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      hosts.push(request.headers.host);
      response.setHeader('Api-Version', '1.43').end('OK');
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function ping(tls: Omit<EngineTls, 'verify'>, change: Partial<EngineAddress> = {}): Promise<string> {
  const host = '127.0.0.1';
  const address = { text: 'tcp://engine', origin: 'DOCKER_HOST', host, port, tls: { verify: true, ...tls }, ...change };
  return engineClient(address).apiVersion();
}

describe('an engine behind TLS', () => {
  it('is checked by its own name and told it', async () => {
    expect(await ping(mine)).toBe('1.43');
    expect(await ping(mine, { host: 'localhost' })).toBe('1.43');
    expect(hosts).toEqual([`127.0.0.1:${port}`, `localhost:${port}`]);
  });

  it.each([
    ['another authority', { ...mine, ca: Buffer.from(stranger.ca) }, /authority/, /ca\.pem in \/certificates/],
    ['no certificate', { ca: mine.ca }, /client certificate/, /cert\.pem and key\.pem in \/certificates/],
    ['a key of another', { ...mine, key: Buffer.from(stranger.own.key) }, /cannot be used/, /the key has to be that/],
    ['no PEM', { ...mine, cert: Buffer.from('x') }, /cannot be used/, /look at the files in \/certificates/],
  ])('%s: says what is wrong and where to look', async (_name, tls, message, hint) => {
    await expect(ping({ ...tls, directory: '/certificates' })).rejects.toMatchObject({
      code: 'ENGINE_TLS',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });
});

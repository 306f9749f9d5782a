import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { engineClient, fixedCredential, Secret } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pushFromEngine } from './push-image.ts';

const temporary = temporaryDirectories();
const digest = `sha256:${'a'.repeat(64)}`;
const credentials = fixedCredential({ kind: 'password', username: 'ann', password: new Secret('p?>') }, 'test');

interface Engine {
  readonly requests: { readonly url: string; readonly auth: string }[];
  readonly push: (name: string) => Promise<string>;
}

/** An engine that answers pushes so, one after the other. */
async function engine(...answers: readonly ((response: ServerResponse) => void)[]): Promise<Engine> {
  const requests: { url: string; auth: string }[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    if (request.url === '/_ping') return void response.setHeader('Api-Version', '1.43').end('OK');
    const auth = String(request.headers['x-registry-auth']);
    requests.push({ url: request.url ?? '', auth: Buffer.from(auth, 'base64url').toString() });
    return answers[requests.length - 1]?.(response);
  });
  const socketPath = join(temporary(), 'sock');
  server.listen(socketPath);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const client = engineClient({ text: `unix://${socketPath}`, origin: 'default', socketPath });
  return { requests, push: (name) => pushFromEngine(client, name, { credentials, retry: { waits: [1] } }) };
}

function events(...lines: readonly object[]): (response: ServerResponse) => void {
  return (response) => response.end(lines.map((line) => `${JSON.stringify(line)}\r\n`).join(''));
}

const done = events({ status: 'Pushed', id: 'a' }, { progressDetail: {}, aux: { Tag: '1', Digest: digest, Size: 1 } });

describe('pushFromEngine', () => {
  it('gives the credential of the registry and returns the digest', async () => {
    const { requests, push } = await engine(done);
    expect(await push('r.example:5000/a/b:1')).toBe(digest);
    expect(requests[0]?.url).toBe('/v1.43/images/r.example:5000/a/b/push?tag=1');
    expect(JSON.parse(requests[0]?.auth ?? '')).toEqual({
      username: 'ann',
      password: 'p?>',
      serveraddress: 'r.example:5000',
    });
  });

  it('fails for an error, whatever else the event says', async () => {
    const { push } = await engine(
      events({ status: 'Pushing', id: 'a', error: 'denied: no', errorDetail: { message: 'x' } }),
    );
    await expect(push('a:1')).rejects.toMatchObject({
      code: 'ENGINE_PUSH_FAILED',
      hint: expect.stringContaining('log in'),
    });
  });

  it('tries again what may pass', async () => {
    const { requests, push } = await engine(
      events({ errorDetail: { message: 'received unexpected HTTP status: 503 Service Unavailable' } }),
      done,
    );
    expect(await push('a:1')).toBe(digest);
    expect(requests).toHaveLength(2);
  });

  it('names an image that is not there', async () => {
    const { push } = await engine(events({ error: 'An image does not exist locally with the tag: a' }));
    await expect(push('a:1')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    const other = await engine((response) => response.writeHead(404).end('{"message":"no such image"}'));
    await expect(other.push('a:1')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  it('does not take silence for success', async () => {
    const { push } = await engine(events({ status: 'Preparing' }));
    await expect(push('a:1')).rejects.toMatchObject({ code: 'ENGINE_ANSWER_INVALID' });
  });
});

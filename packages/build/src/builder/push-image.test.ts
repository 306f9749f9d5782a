// The linter reads tests without the project's library of types, and does not know Symbol.asyncDispose there.
// oxlint-disable typescript/await-thenable
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { startTestRegistry, type TestRegistry } from '@boxwright/oci/testing';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildResult } from '../engine/engine.ts';
import { PushError } from './errors.ts';
import { ImageBuilder } from './image-builder.ts';
import { pushImage } from './push-image.ts';
import { parseRegistryUrl } from './registry-url.ts';

const temporary = temporaryDirectories();
let registry: TestRegistry;
let root: string;

beforeEach(async () => {
  registry = await startTestRegistry();
  root = temporary();
});
afterEach(() => registry.close());

/** A build in one process, the push in another one, as far as the store can tell. */
async function built(tag?: string): Promise<BuildResult> {
  await using image = new ImageBuilder('scratch');
  return image.writeText('hello', '/hello').build({ store: root, ...(tag === undefined ? {} : { tag }) });
}

const env = { HOME: '/nonexistent' };

describe('pushImage', () => {
  it('pushes an image by its id, although it has no name', async () => {
    const { imageId } = await built();
    const lines: string[] = [];
    const pushed = await pushImage(imageId, `http://${registry.host}/v2/`, 'team/app', {
      store: root,
      env,
      tag: '1.2',
      streamProgressTo: { write: (line) => lines.push(line) },
    });
    expect(pushed).toMatchObject({ reference: `${registry.host}/team/app:1.2`, tag: '1.2' });
    expect(registry.repository('team/app').tags.get('1.2')).toBe(pushed.digest);
    expect(lines[0]).toBe(`The push refers to repository [${registry.host}/team/app]\n`);
    expect(lines.at(-1)).toContain(`1.2: digest: ${pushed.digest}`);
    using store = ImageStore.open(root);
    expect(store.listTags()).toEqual([]);
  });

  it('pushes what a build returned, or a name, with the time as its tag', async () => {
    const image = await built('app:dev');
    const first = await pushImage(image, registry.host, 'app', { store: root, env });
    expect(first.tag).toMatch(/^\d{4}-\d\d-\d\dt\d\d-\d\d-\d\d-\d{6}-00-00$/);
    const second = await pushImage('app:dev', `${registry.host}/team`, 'app', { store: root, env, tag: '2' });
    expect(second.reference).toBe(`${registry.host}/team/app:2`);
    expect(second.digest).toBe(first.digest);
  });

  it('fails as PushError with the cause', async () => {
    const { imageId } = await built();
    await registry.close();
    await expect(pushImage(imageId, registry.host, 'app', { store: root, env, tag: '1' })).rejects.toMatchObject({
      name: 'PushError',
      cause: expect.any(Error),
      logTail: [expect.stringContaining('app')],
    });
  });

  it('needs an image that is there, and a lawful name', async () => {
    mkdirSync(join(root, 'other'));
    const options = { store: join(root, 'other'), env, tag: '1' };
    await expect(pushImage('missing', registry.host, 'app', options)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    });
    await expect(pushImage('missing', registry.host, 'App', options)).rejects.toMatchObject({
      code: 'REFERENCE_INVALID',
    });
  });
});

describe('pushImage with a Docker Engine', () => {
  /** An engine that has one image, and knows the name or not; the push says what it is given. */
  async function pushed(
    has: boolean,
    push: readonly object[],
  ): Promise<{ result: unknown; requests: readonly string[] }> {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(`${request.method} ${decodeURIComponent(request.url?.replace(/^\/v[\d.]+/, '') ?? '')}`);
      if (request.url === '/_ping') response.setHeader('Api-Version', '1.43').end('OK');
      else if (request.method === 'GET') response.writeHead(has ? 200 : 404).end(JSON.stringify({ Id: 'sha256:old' }));
      else if (request.url?.includes('/push') === true)
        response.end(push.map((event) => JSON.stringify(event)).join('\n'));
      else response.end('[]');
    });
    const socket = join(root, 'sock');
    server.listen(socket);
    await once(server, 'listening');
    try {
      const options = { engine: 'docker', tag: '1', env: { ...env, DOCKER_HOST: `unix://${socket}` } } as const;
      const result = await pushImage('sha256:new', 'registry.example.com', 'app', options).catch(
        (error: unknown) => error,
      );
      return { result, requests: requests.filter((line) => !line.includes('_ping')) };
    } finally {
      server.close();
    }
  }

  const digest = `sha256:${'a'.repeat(64)}`;

  it('names the image for as long as the push takes', async () => {
    const { result, requests } = await pushed(false, [
      { status: 'Pushed', id: 'abc' },
      { aux: { Tag: '1', Digest: digest } },
    ]);
    expect(result).toEqual({ reference: 'registry.example.com/app:1', tag: '1', digest });
    expect(requests).toEqual([
      'GET /images/registry.example.com/app:1/json',
      'POST /images/sha256:new/tag?repo=registry.example.com/app&tag=1',
      'POST /images/registry.example.com/app/push?tag=1',
      'DELETE /images/registry.example.com/app:1?noprune=1',
    ]);
  });

  it('gives the name back, and sees errors beside a status', async () => {
    const { result, requests } = await pushed(true, [{ status: 'Pushing', error: 'denied: no access' }]);
    expect(result).toBeInstanceOf(PushError);
    expect(result).toMatchObject({ code: 'ENGINE_PUSH_FAILED', message: expect.stringContaining('denied: no access') });
    expect(requests.at(-1)).toBe('POST /images/sha256:old/tag?repo=registry.example.com/app&tag=1');
  });
});

describe('parseRegistryUrl', () => {
  it.each([
    ['https://registry.example.com', { host: 'registry.example.com', namespace: undefined, plainHttp: false }],
    ['http://localhost:5555/v2', { host: 'localhost:5555', namespace: undefined, plainHttp: true }],
    ['registry.example.com:5000', { host: 'registry.example.com:5000', namespace: undefined, plainHttp: false }],
    ['localhost:5000/team/a/', { host: 'localhost:5000', namespace: 'team/a', plainHttp: false }],
    ['https://index.docker.io/v1/', { host: 'index.docker.io', namespace: undefined, plainHttp: false }],
    ['[::1]:5000', { host: '[::1]:5000', namespace: undefined, plainHttp: false }],
  ])('%s', (text, address) => {
    expect(parseRegistryUrl(text)).toEqual(address);
  });

  it.each(['', 'ftp://x', 'https://', 'a b', 'https://u:secret@x', 'u:secret@x', 'https://x?y', 'https://x#y'])(
    'refuses %j',
    (text) => {
      const refused = expect.objectContaining({
        code: 'REGISTRY_URL_INVALID',
        message: expect.not.stringContaining('secret'),
      });
      expect(() => parseRegistryUrl(text)).toThrowError(refused);
    },
  );
});

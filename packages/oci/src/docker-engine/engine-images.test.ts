import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyImage } from '../copy/copy-image.ts';
import { parseReference } from '../names/reference.ts';
import { loadArchive } from '../places/load-archive.ts';
import { storeSource } from '../places/store-place.ts';
import { putImage } from '../places/testing/test-images.ts';
import { ImageStore } from '../store/store.ts';
import { engineClient } from './engine-client.ts';
import { engineEvents } from './engine-events.ts';
import { engineDestination, loadFromEngine } from './engine-images.ts';

let root: string;
let here: ImageStore;
let there: ImageStore;
let server: Server;
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-engine-'));
  here = ImageStore.open(join(root, 'here'));
  there = ImageStore.open(join(root, 'there'));
  requests = [];
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.url === '/_ping') response.setHeader('Api-Version', '1.43').end('OK');
    else answer(request, response);
  });
  server.listen(join(root, 'sock'));
  await once(server, 'listening');
});

afterEach(() => {
  server.close();
  here.close();
  there.close();
  rmSync(root, { recursive: true, force: true });
});

function engine(): ReturnType<typeof engineClient> {
  const socketPath = join(root, 'sock');
  return engineClient({ text: `unix://${socketPath}`, origin: 'DOCKER_HOST', socketPath });
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

describe('a Docker Engine as a place', () => {
  it('takes an image as an archive and gives it back the same', async () => {
    const name = 'docker.io/library/app:1';
    const image = { descriptor: putImage(here, ['one', 'two']), names: [name] };
    let archive = Buffer.alloc(0);
    answer = (request, response) => {
      if (request.url?.startsWith('/v1.43/images/load') === true) {
        const pieces: Buffer[] = [];
        request.on('data', (piece: Buffer) => pieces.push(piece));
        request.on('end', () => {
          archive = Buffer.concat(pieces);
          response.end('{"stream":"Loaded image: app:1\\n"}\n');
        });
      } else if (request.url === '/v1.43/images/app:1/json') response.end('{}');
      else if (request.url === '/v1.43/images/get?names=app%3A1') Readable.from([archive]).pipe(response);
      else response.writeHead(404).end('{"message":"no such thing"}');
    };
    const destination = engineDestination(engine(), { temporaryPath: () => here.temporaryPath() });
    await copyImage(storeSource(here), image, destination);
    await destination.finish();
    expect((await loadArchive(there, Readable.from([archive]))).map(({ names }) => names)).toEqual([[name]]);

    const loaded = await loadFromEngine(engine(), parseReference('app:1'), there);
    expect(there.image(loaded.descriptor).config().raw.equals(here.image(image.descriptor).config().raw)).toBe(true);
    expect(requests[0]).toBe('GET /_ping');
  });

  it('says that the engine lacks the image, and what the engine said', async () => {
    answer = (_request, response) => response.writeHead(404).end('{"message":"No such image: app"}');
    await expect(loadFromEngine(engine(), parseReference('app'), there)).rejects.toThrowError(code('IMAGE_NOT_FOUND'));
    answer = (_request, response) => response.writeHead(500).end('{"message":"no space\\u001b[31m left"}');
    await expect(loadFromEngine(engine(), parseReference('app'), there)).rejects.toThrowError(
      /no space\\x1b\[31m left/,
    );
  });

  it('fails when loading reports an error, and when the archive cannot be written', async () => {
    answer = (request, response) => {
      request.resume();
      request.on('end', () => response.end('{"errorDetail":{"message":"invalid tar header"}}\n'));
    };
    const image = { descriptor: putImage(here, ['one', 'two']), names: ['docker.io/library/app:1'] };
    const destination = engineDestination(engine(), { temporaryPath: () => here.temporaryPath() });
    await copyImage(storeSource(here), image, destination);
    await expect(destination.finish()).rejects.toThrowError(/invalid tar header/);

    const broken = engineDestination(engine(), { temporaryPath: () => here.temporaryPath() });
    rmSync(here.blobPath(here.image(image.descriptor).layers()[1]?.diffId ?? image.descriptor.digest));
    await expect(copyImage(storeSource(here), image, broken)).rejects.toThrowError(code('BLOB_MISSING'));
    await broken.abort();
  });

  it('hears of an engine that refuses in the middle', async () => {
    answer = (_request, response) => response.writeHead(500).end('{"message":"no space left"}');
    const image = { descriptor: putImage(here, ['x'.repeat(5_000_000), 'two']), names: ['docker.io/library/app:1'] };
    const destination = engineDestination(engine(), { temporaryPath: () => here.temporaryPath() });
    const copying = copyImage(storeSource(here), image, destination).then(() => destination.finish());
    await expect(copying).rejects.toThrowError(/no space left/);
    await destination.abort();
  });

  it('asks an engine for nothing when there is nothing to load', async () => {
    const destination = engineDestination(engine(), { temporaryPath: () => here.temporaryPath() });
    await destination.abort();
    expect(requests).toEqual([]);
  });

  it('says who does not listen', async () => {
    const absent = engineClient({ text: 'unix:///nowhere', origin: 'DOCKER_HOST', socketPath: join(root, 'nowhere') });
    await expect(loadFromEngine(absent, parseReference('app'), there)).rejects.toThrowError(code('ENGINE_UNREACHABLE'));
  });
});

describe('engineEvents', () => {
  it('reads events that are cut anywhere', async () => {
    const text = Buffer.from(
      '{"stream":"é"}\n{"status":"Pushing","id":"a","progressDetail":{"current":1,"total":2}}\r\n{"aux":{"Digest":"x"}}',
    );
    for (let at = 1; at < text.length; at++) {
      const events = await Array.fromAsync(engineEvents(Readable.from([text.subarray(0, at), text.subarray(at)])));
      expect(events).toEqual([
        { stream: 'é' },
        { status: 'Pushing', id: 'a', current: 1, total: 2 },
        { aux: { Digest: 'x' } },
      ]);
    }
  });

  it.each(['<html>', '[1', '"text"'])('refuses %s', async (text) => {
    await expect(Array.fromAsync(engineEvents(Readable.from([Buffer.from(text)])))).rejects.toThrowError(
      code('ENGINE_ANSWER_INVALID'),
    );
  });
});

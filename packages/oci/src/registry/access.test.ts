import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { descriptorOf } from '../documents/descriptor.ts';
import { digestOf, parseDigest } from '../names/digest.ts';
import { openRegistryAccess, type RegistryAccess, registryAccess } from './access.ts';
import { createAuthenticator, credentialStore } from './auth/index.ts';
import { listRepositories } from './client/index.ts';
import { readAll } from './client/testing/answers.ts';
import { registrySource } from './registry-source.ts';
import { openRegistries } from './session/index.ts';
import { putExampleImage } from './testing/example-images.ts';
import { generatedBlob, startTestRegistry, type TestRegistry, type TestRegistryOptions } from './testing/index.ts';
import { createTransport } from './transport/index.ts';

const MIB = 1024 * 1024;
const config = (digest: string, size: number) => ({
  mediaType: 'application/vnd.oci.image.config.v1+json',
  digest: parseDigest(digest),
  size,
});

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'boxwright-access-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A user whose Docker configuration has a password for the registry. */
function writeCredentials(host: string): void {
  const auth = Buffer.from('alice:secret').toString('base64');
  mkdirSync(join(home, '.docker'));
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
}

async function start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  return registry;
}

function open(): RegistryAccess {
  const access = openRegistryAccess({ env: {}, home });
  onTestFinished(() => access.close());
  return access;
}

/** As {@link open}, without waiting long between tries. */
function openImpatient(): RegistryAccess {
  const transport = createTransport({ timeouts: { idle: 500 } });
  const authenticator = createAuthenticator({ transport, credentials: credentialStore({ env: {}, home }) });
  const registries = openRegistries({ transport, authenticator, timing: { firstMs: 1, maxMs: 5, maxAskedMs: 5 } });
  const access = registryAccess({ registries, authenticator });
  onTestFinished(() => access.close());
  return access;
}

const token = { kind: 'token', users: { alice: 'secret' } } as const;

describe('requests, with all parts together', () => {
  it('looking into an image costs two requests, and two for the login', async () => {
    const registry = await start({ auth: token });
    writeCredentials(registry.host);
    const image = putExampleImage(registry.repository('team/app'), { tag: '1' });
    const source = registrySource(open(), { registry: registry.host, path: 'team/app' });
    const descriptor = await source.fetch('1');
    const manifest = JSON.parse((await source.readDocument(descriptor)).toString());
    await source.readDocument(config(image.config, manifest.config.size));
    expect(registry.requests.map(({ method, kind, credential }) => [method, kind, credential?.split(' ')[0]])).toEqual([
      ['GET', 'manifest', undefined],
      ['GET', 'token', expect.stringMatching(/^basic/i)],
      ['GET', 'manifest', expect.stringMatching(/^bearer/i)],
      ['GET', 'blob', expect.stringMatching(/^bearer/i)],
    ]);
  });

  it('a token that expires in the middle of a blob is renewed, and the blob goes on', async () => {
    const registry = await start({ auth: token });
    writeCredentials(registry.host);
    const blob = generatedBlob(4 * MIB, 1);
    const digest = parseDigest(registry.repository('team/app').putStored(blob));
    const repository = openImpatient().repository({ registry: registry.host, path: 'team/app' });
    await repository.blobSize(digest);
    registry.faults.add({ on: { kind: 'blob', method: 'GET' }, action: { kind: 'cut-down', after: 2 * MIB } });
    let expired = false;
    let size = 0;
    for await (const piece of repository.readBlob({ mediaType: 'x/y', digest, size: blob.size })) {
      size += piece.length;
      if (!expired) registry.tokens?.expireAll();
      expired = true;
    }
    expect(size).toBe(blob.size);
  });

  it('blobs come from where the registry sends us, without credentials, and go on there after a cut', async () => {
    const registry = await start({ auth: token, redirectBlobs: true });
    writeCredentials(registry.host);
    const blob = generatedBlob(4 * MIB, 1);
    const digest = parseDigest(registry.repository('team/app').putStored(blob));
    const repository = openImpatient().repository({ registry: registry.host, path: 'team/app' });
    registry.faults.add({ on: { kind: 'storage' }, action: { kind: 'cut-down', after: 2 * MIB } });
    const bytes = await readAll(repository.readBlob({ mediaType: 'x/y', digest, size: blob.size }));
    expect(digestOf(bytes)).toBe(digest);
    const storage = registry.requests.filter(({ origin }) => origin === 'elsewhere');
    expect(storage.map(({ credential }) => credential)).toEqual([undefined, undefined]);
    expect(storage[1]?.headers.range).toMatch(/^bytes=\d+-$/);
    expect(await repository.blobSize(digest)).toBe(blob.size);
  });

  it('the catalog gets the scope that the registry names', async () => {
    const registry = await start({ auth: token });
    writeCredentials(registry.host);
    registry.repository('a');
    const names: string[] = [];
    for await (const name of listRepositories(open().registries, registry.host)) names.push(name);
    expect(names).toEqual(['a']);
  });

  it('a mount is asked for with the scopes of both; a source that is closed to us is no error', async () => {
    const allow = (_user: string | undefined, repository: string) => repository !== 'secret/base';
    const registry = await start({ auth: { ...token, allow } });
    writeCredentials(registry.host);
    const digest = parseDigest(registry.repository('open/base').putBlob('x'));
    registry.repository('secret/base').putBlob('y');
    const repository = open().repository({ registry: registry.host, path: 'team/app' });
    const from = (path: string) => ({ registry: registry.host, path });
    expect(await repository.mountBlob(digest, from('open/base'))).toEqual({ mounted: true });
    expect((await repository.mountBlob(digestOf('y'), from('secret/base'))).mounted).toBe(false);
  });
});

describe('what goes wrong on the way', () => {
  it.each([
    ['503', { kind: 'status', status: 503 }],
    ['429 with Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }],
    ['a lost connection', { kind: 'refuse' }],
    ['a lost answer', { kind: 'lost-answer' }],
    ['a cut', { kind: 'cut-down', after: 10 }],
    ['silence in the middle', { kind: 'stall-down', after: 10 }],
  ] as const)('%s: tried again, every other time', async (_, action) => {
    const registry = await start({ faults: [{ every: 2, times: 100, action }] });
    const content = registry.repository('team/app');
    const image = putExampleImage(content, { tag: '1', layers: [200_000] });
    const source = registrySource(openImpatient(), { registry: registry.host, path: 'team/app' });
    const descriptor = await source.fetch('1');
    expect(descriptor.digest).toBe(image.digest);
    const layer = parseDigest(image.layers[0] ?? '');
    const size = content.blobs.get(layer)?.size ?? 0;
    expect(digestOf(await readAll(source.readBlob({ mediaType: 'x/y', digest: layer, size })))).toBe(layer);
  });

  it.each([
    ['truncated', { kind: 'truncate', at: 10 }],
    ['corrupted', { kind: 'corrupt', at: 10 }],
  ] as const)('%s: never taken', async (_, action) => {
    const registry = await start({ faults: [{ times: 100, action }] });
    const content = registry.repository('team/app');
    const { digest } = putExampleImage(content, { tag: '1' });
    const bytes = Buffer.from('some content that is long enough');
    content.putBlob(bytes);
    const repository = openImpatient().repository({ registry: registry.host, path: 'team/app' });
    await expect(repository.manifest(digest)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    await expect(repository.manifest('1')).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    const blob = descriptorOf(bytes, 'x/y');
    await expect(repository.blob(blob)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    await expect(readAll(repository.readBlob(blob))).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it('a login page instead of a registry', async () => {
    const headers = { 'content-type': 'text/html; charset=utf-8' };
    const action = { kind: 'status', status: 200, headers, body: '<!doctype html><h1>Log in</h1>' } as const;
    const registry = await start({ faults: [{ times: 100, action }] });
    const repository = openImpatient().repository({ registry: registry.host, path: 'team/app' });
    const asked = [
      () => repository.manifest('1'),
      () => repository.resolve('1'),
      () => readAll(textOf(repository.tags())),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
  });

  it('a configuration that is broken is named at once', () => {
    writeFileSync(join(home, 'registries.json'), '{"registries":[]}');
    const env = { BOXWRIGHT_REGISTRIES: join(home, 'registries.json') };
    expect(() => openRegistryAccess({ env, home })).toThrow(
      expect.objectContaining({ code: 'REGISTRY_CONFIG_INVALID' }),
    );
  });
});

async function* textOf(names: AsyncIterable<string>): AsyncGenerator<Buffer, void, undefined> {
  for await (const name of names) yield Buffer.from(name);
}

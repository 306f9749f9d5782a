import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyImage } from '../copy/copy-image.ts';
import { type Descriptor, descriptorOf } from '../documents/descriptor.ts';
import { isDigest } from '../names/digest.ts';
import { type RegistryAccess, registryAccess } from './access.ts';
import type { Authenticator } from './auth/index.ts';
import { type RegistryDestination, registryDestination } from './registry-destination.ts';
import { registrySource } from './registry-source.ts';
import {
  findProblems,
  putExampleImage,
  putExampleIndex,
  startTestRegistry,
  type TestRegistry,
} from './testing/index.ts';
import { plainRegistries } from './upload/testing/plain-registries.ts';

const nobody: Authenticator = {
  header: async () => undefined,
  answer: async () => undefined,
  describe: async () => 'nobody',
};

let registry: TestRegistry;
let access: RegistryAccess;
let journalDirectory: string;

async function start(options: Parameters<typeof startTestRegistry>[0] = {}): Promise<RegistryDestination> {
  registry = await startTestRegistry(options);
  access = registryAccess({ registries: plainRegistries(registry.url), authenticator: nobody, journalDirectory });
  return registryDestination(access, { registry: registry.host, path: 'team/copy' });
}

beforeEach(() => {
  journalDirectory = mkdtempSync(join(tmpdir(), 'boxwright-upload-'));
});

afterEach(async () => {
  access.close();
  await registry.close();
  rmSync(journalDirectory, { recursive: true });
});

function described({ digest, size, mediaType }: { digest: string; size: number; mediaType: string }): Descriptor {
  if (!isDigest(digest)) throw new Error('no digest');
  return { digest, size, mediaType };
}

/** An image, and what copies it to `team/copy:1`. */
async function copyIndex(destination: RegistryDestination): Promise<void> {
  const { digest } = putExampleIndex(registry.repository('team/app'), ['amd64', 'arm64'], { tag: '1' });
  registry.clearLog();
  const source = registrySource(access, { registry: registry.host, path: 'team/app' });
  const descriptor = await source.fetch(digest);
  await copyImage(source, { descriptor, names: [`${registry.host}/team/copy:1`] }, destination);
}

describe('a registry as the destination', () => {
  it('asks once whether something is there', async () => {
    const destination = await start();
    const image = putExampleImage(registry.repository('team/copy'), { tag: '1' });
    const there = described(image);
    const absent = descriptorOf(Buffer.from('no'), there.mediaType);
    for (let round = 0; round < 3; round++) {
      expect(await destination.has(there)).toBe(true);
      expect(await destination.has({ ...there, size: there.size + 1 })).toBe(false);
    }
    expect(registry.log()).toEqual([`HEAD /v2/team/copy/manifests/${there.digest}`]);
    expect(await destination.has(absent)).toBe(false);
  });

  it('resolves tags and canonical references', async () => {
    const destination = await start();
    const image = putExampleImage(registry.repository('team/copy'), { tag: '1' });
    expect(await destination.resolve('1')).toMatchObject({ digest: image.digest });
    expect(await destination.resolve(`${registry.host}/team/copy:1`)).toMatchObject({ digest: image.digest });
    expect(await destination.resolve('2')).toBeUndefined();
    await expect(destination.resolve('example.com/other:1')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
  });

  it('knows what it has written, and does not ask for it', async () => {
    const destination = await start();
    const bytes = Buffer.from('{}');
    const descriptor = descriptorOf(bytes, 'application/vnd.oci.empty.v1+json');
    const receipt = await destination.writeBlob(descriptor, async function* () {
      yield bytes;
    });
    expect(receipt).toMatchObject({ digest: descriptor.digest, sent: 2 });
    registry.clearLog();
    expect(await destination.has(descriptor)).toBe(true);
    expect(registry.requests).toEqual([]);
  });

  it('sends to the session that a registry opens instead of a mount', async () => {
    const destination = await start({ mount: false });
    const bytes = Buffer.from('layer');
    const descriptor = descriptorOf(bytes, 'application/vnd.oci.image.layer.v1.tar');
    registry.repository('team/app').putBlob(bytes);
    expect(await destination.mountBlob(descriptor, { registry: registry.host, path: 'team/app' })).toBe(false);
    await destination.writeBlob(descriptor, async function* () {
      yield bytes;
    });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    await destination.mountBlob(descriptorOf(Buffer.from('2'), descriptor.mediaType), {
      registry: registry.host,
      path: 'team/app',
    });
    await destination.finish();
    expect(registry.repository('team/copy').uploads.size).toBe(0);
  });

  it('stores an image without a name under its digest', async () => {
    const destination = await start();
    const { digest } = putExampleImage(registry.repository('team/app'));
    const source = registrySource(access, { registry: registry.host, path: 'team/app' });
    await copyImage(source, { descriptor: await source.fetch(digest), names: [] }, destination);
    await destination.finish();
    const { manifests, tags } = registry.repository('team/copy');
    expect([manifests.has(digest), tags.size]).toEqual([true, 0]);
  });

  it('refuses names of other repositories before anything is tagged', async () => {
    const destination = await start();
    const bytes = Buffer.from('{}');
    const descriptor = descriptorOf(bytes, 'application/vnd.oci.image.manifest.v1+json');
    const names = [`${registry.host}/team/copy:1`, 'docker.io/library/other:1'];
    await expect(destination.place({ descriptor, names }, bytes)).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
    expect(registry.requests).toEqual([]);
  });
});

describe('R9: half images', () => {
  it('are not there: content, manifests, index, then the tag', async () => {
    await copyIndex(await start({ mount: false }));
    const writes = registry.log({ method: 'PUT' }).map((line) => line.replace(/uploads\/.*/, 'blob'));
    const kinds = writes.map((line) => /(blob|manifests\/sha256|manifests\/1)/.exec(line)?.[1]);
    expect(kinds.at(-1)).toBe('manifests/1');
    expect(kinds.indexOf('manifests/1')).toBe(kinds.length - 1);
    expect(kinds.filter((kind) => kind === 'manifests/sha256').length).toBeGreaterThanOrEqual(2);
    expect(await findProblems(registry.url, 'team/copy', '1')).toEqual([]);
  });

  it.each([
    ['a blob', { method: 'PUT', kind: 'upload' }],
    ['a manifest', { method: 'PUT', kind: 'manifest', path: /sha256/ }],
  ] as const)('get no tag and no index when %s cannot be written', async (_, on) => {
    const destination = await start({
      mount: false,
      faults: [{ on, skip: 1, times: 100, action: { kind: 'status', status: 403 } }],
    });
    await expect(copyIndex(destination)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
    await destination.abort();
    const { tags, manifests } = registry.repository('team/copy');
    expect(tags.size).toBe(0);
    expect([...manifests.values()].filter(({ mediaType }) => mediaType.includes('index'))).toEqual([]);
    expect(readdirSync(journalDirectory)).toEqual([]);
  });

  it('are not made by putting something else in the place of what was refused', async () => {
    const destination = await start({
      faults: [{ on: { method: 'PUT', path: /manifests\/1$/ }, times: 100, action: { kind: 'status', status: 400 } }],
    });
    await expect(copyIndex(destination)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
    expect(registry.count({ method: 'PUT', path: /manifests\/1$/ })).toBe(1);
    expect(registry.repository('team/copy').tags.size).toBe(0);
  });
});

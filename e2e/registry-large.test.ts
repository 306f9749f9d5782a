import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  findProblems,
  generatedBlob,
  type LoggedRequest,
  sha256,
  startTestRegistry,
  type TestRegistry,
} from '../packages/oci/src/registry/testing/index.ts';
import { missingDockerRegistry } from './components/docker-registry.ts';
import { findProblemsInDirectory } from './support/blob-directory.ts';
import { PeakMemory } from './support/peak-memory.ts';
import { dockerRegistry, faultProxy, testRegistry } from './support/registries.ts';
import { makeUser, removeUser, testUser, type User } from './support/user.ts';

const MiB = 1 << 20;
const GiB = 1 << 30;
const MEMORY = 200_000_000;

/** What is sent again of what had arrived: at most the chunk that was under way. */
const CHUNK = 64 * MiB;

const missing = await missingDockerRegistry();

/** A registry with an image whose one layer is made up when it is read. */
let source: TestRegistry;
let digest: string;
let smallDigest: string;
/** Somebody who has pulled it. */
let owner: User;
let pulling: PeakMemory | undefined;

beforeAll(async () => {
  source = await startTestRegistry();
  digest = putLayer(GiB, 'large');
  smallDigest = putLayer(80 * MiB, 'small');
  owner = makeUser();
  await owner.runOk(['pull', '--quiet', `${source.host}/app:large`], {
    onStart: (child) => {
      pulling = new PeakMemory(child);
    },
  });
  await owner.runOk(['pull', '--quiet', `${source.host}/app:small`]);
});

afterAll(async () => {
  await source.close();
  removeUser(owner);
});

/** An image of one layer of random bytes: not a tar, which nobody looks at on the way. */
function putLayer(size: number, tag: string): string {
  const repository = source.repository('app');
  const layer = repository.putStored(generatedBlob(size, size));
  const oci = 'application/vnd.oci.image';
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer] } });
  const mediaType = `${oci}.manifest.v1+json`;
  repository.putBlob(config);
  return repository.putManifest(
    {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
      layers: [{ mediaType: `${oci}.layer.v1.tar`, digest: layer, size }],
    },
    tag,
  );
}

describe('a blob of 1 GiB', () => {
  it('is pulled whole, in little memory', () => {
    expect(findProblemsInDirectory(owner.store, digest)).toEqual([]);
    expect(pulling?.peak).toBeGreaterThan(20_000_000);
    expect(pulling?.peak).toBeLessThan(MEMORY);
  });

  it('is copied from registry to registry, in little memory', async () => {
    const target = await testRegistry({ keepUpTo: MiB });
    let copying: PeakMemory | undefined;
    await testUser().runOk(['copy', `docker://${source.host}/app:large`, `docker://${target.host}/copy:1`], {
      onStart: (child) => {
        copying = new PeakMemory(child);
      },
    });
    expect(target.repository('copy').tags.get('1')).toBe(digest);
    expect(copying?.peak).toBeGreaterThan(20_000_000);
    expect(copying?.peak).toBeLessThan(MEMORY);
  });

  it('is pushed, in little memory: after kill -9 only the rest is sent', async () => {
    const registry = await testRegistry({ keepUpTo: MiB });
    const args = ['push', '--compression', 'none', `${source.host}/app:large`, `${registry.host}/copy:1`];
    const sent = (): number => bytesSent(registry.requests);
    let pushing: PeakMemory | undefined;
    const killed = await owner.run(args, {
      onStart: (child) => {
        pushing = new PeakMemory(child);
        void killWhen(() => sent() > 600 * MiB, child);
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    expect([...registry.repository('copy').tags]).toEqual([]);
    const first = sent();
    const { stdout } = await owner.runOk([...args, '--format', 'json', '--quiet']);
    expect(sent() - first).toBeLessThan(GiB - 600 * MiB + CHUNK + MiB);
    expect(JSON.stringify(JSON.parse(stdout.toString()))).toMatch(/"resumedAt":[1-9]/);
    // The registry has hashed what came.
    expect(registry.repository('copy').tags.get('1')).toBe(digest);
    expect(pushing?.peak).toBeLessThan(MEMORY);
  });
});

describe.skipIf(missing !== undefined)('CNCF Distribution 2.8, which drops an upload that was cut off', () => {
  it('has a whole image after kill -9 and another push', async () => {
    const registry = await dockerRegistry();
    const proxy = await faultProxy({ upstream: registry.url });
    const args = ['push', '--compression', 'none', `${source.host}/app:small`, `${proxy.host}/copy:1`];
    const killed = await owner.run(args, {
      onStart: (child) => void killWhen(() => bytesSent(proxy.requests) > 66 * MiB, child),
    });
    expect(killed.signal).toBe('SIGKILL');
    expect((await fetch(`${registry.url}/v2/copy/manifests/1`)).status).toBe(404);
    await owner.runOk(args);
    expect(bytesSent(proxy.requests)).toBeLessThan((66 + 32 + 81) * MiB);
    expect(await findProblems(registry.url, 'copy', '1')).toEqual([]);
  });
});

describe('a layer that is compressed on its way', () => {
  it.each(['gzip', 'zstd'])('with %s goes on after kill -9', async (compression) => {
    const registry = await testRegistry();
    const args = ['push', '--compression', compression, `${source.host}/app:small`, `${registry.host}/copy:1`];
    const sent = (): number => bytesSent(registry.requests);
    const killed = await owner.run(args, {
      onStart: (child) => void killWhen(() => sent() > 66 * MiB, child),
    });
    expect(killed.signal).toBe('SIGKILL');
    expect([...registry.repository('copy').tags]).toEqual([]);
    const first = sent();
    let pushing: PeakMemory | undefined;
    await owner.runOk(args, {
      onStart: (child) => {
        pushing = new PeakMemory(child);
      },
    });
    // Two chunks of 32 MiB had arrived.
    expect(sent() - first).toBeLessThan(24 * MiB);
    expect(await findProblems(registry.url, 'copy', '1')).toEqual([]);
    expect(registry.repository('copy').tags.get('1')).not.toBe(smallDigest);
    expect(pushing?.peak).toBeLessThan(MEMORY);
  });
});

describe('two processes', () => {
  it('that push the same image at the same time share no upload', async () => {
    const registry = await testRegistry();
    const args = (tag: string): string[] => [
      'push',
      '--compression',
      'none',
      `${source.host}/app:small`,
      `${registry.host}/copy:${tag}`,
    ];
    await Promise.all([owner.runOk(args('1')), owner.runOk(args('2'))]);
    for (const tag of ['1', '2']) expect(registry.repository('copy').tags.get(tag)).toBe(smallDigest);
    expect(await findProblems(registry.url, 'copy', '1')).toEqual([]);
    // A chunk that two wrote at the same place would have been refused.
    expect(registry.requests.filter(({ status }) => status >= 400 && status !== 404)).toEqual([]);
  });

  it('of which the first is interrupted: it says so, and the second goes on', async () => {
    const registry = await testRegistry();
    const args = ['push', '--compression', 'none', `${source.host}/app:small`, `${registry.host}/copy:1`];
    const interrupted = await owner.run(args, {
      onStart: (child) => void signalWhen(() => bytesSent(registry.requests) > 66 * MiB, child, 'SIGINT'),
    });
    expect(interrupted.code).toBe(130);
    expect([...registry.repository('copy').tags]).toEqual([]);
    const first = bytesSent(registry.requests);
    await owner.runOk(args);
    expect(bytesSent(registry.requests) - first).toBeLessThan(24 * MiB);
    expect(registry.repository('copy').tags.get('1')).toBe(smallDigest);
  });
});

describe('a download of 80 MiB', () => {
  it('that is cut off again and again goes on where it was', async () => {
    const proxy = await faultProxy({
      upstream: source.url,
      faults: [
        { on: { kind: 'blob', method: 'GET' }, skip: 1, times: 3, action: { kind: 'cut-down', after: 30_000_000 } },
      ],
    });
    const user = testUser();
    await user.runOk(['pull', `${proxy.host}/app:small`]);
    expect(findProblemsInDirectory(user.store, smallDigest)).toEqual([]);
    const given = proxy.requests.reduce((sum, request) => sum + request.sent, 0);
    expect(given).toBeLessThan(84 * MiB);
  });
});

/** Bytes of blobs that arrived, whatever became of them. */
function bytesSent(requests: readonly LoggedRequest[]): number {
  return requests
    .filter(({ method, kind }) => kind === 'upload' && (method === 'PATCH' || method === 'PUT'))
    .reduce((sum, { received }) => sum + received, 0);
}

/** kill -9, as soon as something has come to pass. */
function killWhen(condition: () => boolean, child: ChildProcess): Promise<void> {
  return signalWhen(condition, child, 'SIGKILL');
}

/** One signal, as soon as something has come to pass. */
async function signalWhen(condition: () => boolean, child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  while (child.exitCode === null && child.signalCode === null && !condition()) await sleep(2);
  child.kill(signal);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  digestOfBlob,
  type Fault,
  type FaultAction,
  findProblems,
  putExampleImage,
  putExampleIndex,
  startTestRegistry,
  type TestRegistry,
} from '../packages/oci/src/registry/testing/index.ts';
import { findProblemsInDirectory } from './support/blob-directory.ts';
import { expectError } from './support/expect-error.ts';
import { faultProxy, testRegistry } from './support/registries.ts';
import type { RunResult } from './support/run.ts';
import { makeUser, removeUser, testUser, type User } from './support/user.ts';

/** The image of all tests: an index of two images with a large and small layers. */
let source: TestRegistry;
let digest: string;
/** Somebody who has it in the store. */
let owner: User;

beforeAll(async () => {
  source = await startTestRegistry();
  digest = putExampleIndex(source.repository('app'), ['amd64', 'arm64'], {
    layers: [9_000_000, 'x', 40_000],
    tag: '1',
  }).digest;
  putExampleImage(source.repository('app'), { tag: 'one' });
  owner = makeUser();
  await owner.runOk(['pull', '--quiet', '--platform', 'all', `${source.host}/app:1`, `${source.host}/app:one`]);
});

afterAll(async () => {
  await source.close();
  removeUser(owner);
});

/** One thing that goes wrong, as faults of a registry. */
interface Trouble {
  readonly name: string;
  /** At the registry that is read from. */
  readonly reading?: readonly Fault[];
  /** At the registry that is written to. */
  readonly writing?: readonly Fault[];
  /** `whole`: the command has to get through. `either`: it may also give up. A code: it has to give up with it. */
  readonly ends: 'whole' | 'either' | RegExp;
}

/** Every third request goes wrong in this way, three times in all. */
function now(action: FaultAction, on: Fault['on'] = {}): readonly Fault[] {
  return [{ on, action, every: 3, times: 3 }];
}

const uploads = { kind: 'upload', method: ['PATCH', 'PUT', 'POST'] } as const;
const both = (action: FaultAction) => ({ reading: now(action), writing: now(action) });

const troubles: readonly Trouble[] = [
  ...[500, 502, 503].map(
    (status): Trouble => ({
      name: `status ${status}`,
      ...both({ kind: 'status', status, body: '<html>proxy error</html>' }),
      ends: 'whole',
    }),
  ),
  {
    name: 'status 429 with Retry-After',
    ...both({ kind: 'status', status: 429, headers: { 'retry-after': '1' } }),
    ends: 'whole',
  },
  { name: 'connection refused before the request', ...both({ kind: 'refuse' }), ends: 'whole' },
  { name: 'answer lost', ...both({ kind: 'lost-answer' }), ends: 'whole' },
  {
    name: 'cut in the middle of a body',
    reading: now({ kind: 'cut-down', after: 4_000_000 }, { method: 'GET', kind: ['blob', 'manifest'] }),
    writing: now({ kind: 'cut-up', after: 4_000_000 }, uploads),
    ends: 'whole',
  },
  {
    name: 'a shorter body',
    reading: now({ kind: 'truncate', at: 4_000_000 }, { method: 'GET', kind: 'blob' }),
    ends: 'either',
  },
  {
    name: 'a changed byte',
    reading: now({ kind: 'corrupt', at: 4_000_000 }, { method: 'GET', kind: 'blob' }),
    writing: now({ kind: 'corrupt-up', at: 4_000_000 }, uploads),
    ends: 'either',
  },
  {
    name: 'a changed byte in a manifest',
    reading: now({ kind: 'corrupt', at: 100 }, { method: 'GET', kind: 'manifest' }),
    writing: now({ kind: 'corrupt-up', at: 100 }, { method: 'PUT', kind: 'manifest' }),
    ends: 'either',
  },
  {
    name: 'a wrong Docker-Content-Digest',
    reading: now({ kind: 'headers', set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }),
    writing: now({ kind: 'headers', set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }),
    ends: 'either',
  },
  {
    name: 'a slow registry',
    reading: now({ kind: 'slow-down', bytesPerSecond: 20_000_000 }),
    writing: now({ kind: 'slow-up', bytesPerSecond: 20_000_000 }),
    ends: 'whole',
  },
  {
    name: 'a limit on bodies, said while sending',
    writing: [{ on: uploads, action: { kind: 'status', status: 413, early: true }, times: 1000 }],
    ends: /^(REGISTRY_REFUSED|UPLOAD_FAILED)$/,
  },
  {
    name: 'a bit of everything',
    reading: [
      { every: 4, times: 3, action: { kind: 'status', status: 503 } },
      { on: { method: 'GET', kind: 'blob' }, every: 2, times: 2, action: { kind: 'cut-down', after: 1_000_000 } },
      { skip: 2, every: 5, times: 2, action: { kind: 'refuse' } },
    ],
    writing: [
      { on: uploads, skip: 1, every: 3, times: 3, action: { kind: 'cut-up', after: 500_000 } },
      { on: { method: 'PUT' }, every: 2, times: 3, action: { kind: 'lost-answer' } },
      { every: 6, times: 3, action: { kind: 'status', status: 500 } },
    ],
    ends: 'whole',
  },
];

/** The command ended as it may, and said so. */
function expectEnd(result: RunResult, trouble: Trouble): void {
  if (trouble.ends === 'whole') expect(result, result.stderr).toMatchObject({ code: 0 });
  else if (trouble.ends !== 'either') expectError(result, trouble.ends);
  else if (result.code !== 0) expectError(result, /^(?!INTERNAL)/);
}

describe.concurrent('push goes on, or leaves no tag', () => {
  it.for(troubles.filter(({ writing }) => writing !== undefined))('$name', async (trouble, { onTestFinished }) => {
    const registry = await testRegistry({}, onTestFinished);
    const proxy = await faultProxy({ upstream: registry.url, faults: trouble.writing ?? [] }, onTestFinished);
    const result = await owner.run(['push', '--compression', 'none', `${source.host}/app:1`, `${proxy.host}/copy:1`]);
    expect(proxy.faults.struck.some((times) => times > 0)).toBe(true);
    expectEnd(result, trouble);
    await expectWholeOrAbsent(registry, result);
  });
});

describe.concurrent('copy from registry to registry goes on, or leaves no tag', () => {
  it.for(troubles)('$name', async (trouble, { onTestFinished }) => {
    const registry = await testRegistry({}, onTestFinished);
    const from = await faultProxy({ upstream: source.url, faults: trouble.reading ?? [] }, onTestFinished);
    const to = await faultProxy({ upstream: registry.url, faults: trouble.writing ?? [] }, onTestFinished);
    const result = await testUser({}, onTestFinished).run([
      'copy',
      `docker://${from.host}/app:1`,
      `docker://${to.host}/copy:1`,
    ]);
    expect([...from.faults.struck, ...to.faults.struck].some((times) => times > 0)).toBe(true);
    expectEnd(result, trouble);
    await expectWholeOrAbsent(registry, result);
  });
});

describe.concurrent('pull goes on, or leaves no image', () => {
  it.for(troubles.filter(({ reading }) => reading !== undefined))('$name', async (trouble, { onTestFinished }) => {
    const proxy = await faultProxy({ upstream: source.url, faults: trouble.reading ?? [] }, onTestFinished);
    const user = testUser({}, onTestFinished);
    const result = await user.run(['pull', '--platform', 'all', `${proxy.host}/app:1`]);
    expect(proxy.faults.struck.some((times) => times > 0)).toBe(true);
    expectEnd(result, trouble);
    const listed = (await user.runOk(['images', '--quiet'])).stdout.toString().trim();
    if (result.code === 0) expect(findProblemsInDirectory(user.store, digest)).toEqual([]);
    else expect(listed).toBe('');
  });

  it('into an OCI layout', async ({ onTestFinished }) => {
    const faults = troubles.at(-1)?.reading ?? [];
    const proxy = await faultProxy({ upstream: source.url, faults }, onTestFinished);
    const user = testUser({}, onTestFinished);
    const layout = join(user.directory, 'layout');
    await user.runOk(['copy', `docker://${proxy.host}/app:1`, `oci:${layout}:1`]);
    expect(findProblemsInDirectory(layout, digest)).toEqual([]);
    const index: { manifests: { digest: string }[] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    expect(index.manifests.map((entry) => entry.digest)).toEqual([digest]);
  });
});

describe.concurrent('R2 wrong bytes of a layer', () => {
  const always = { on: { method: 'GET', kind: 'blob' }, times: Number.POSITIVE_INFINITY } as const;
  it.for([
    ['changed', { kind: 'corrupt', at: 5_000_000 }],
    ['cut short', { kind: 'truncate', at: 5_000_000 }],
  ] as const)('are not committed to a registry that does not look: %s', async ([_what, action], { onTestFinished }) => {
    const from = await faultProxy({ upstream: source.url, faults: [{ ...always, action }] }, onTestFinished);
    const registry = await testRegistry({ lenient: true }, onTestFinished);
    const user = testUser({}, onTestFinished);
    const result = await user.run(['copy', `docker://${from.host}/app:1`, `docker://${registry.host}/copy:1`]);
    expectError(result, /^(BLOB_MISMATCH|REGISTRY_ANSWER_INVALID)$/, from.host, 'sha256:');
    const { blobs, tags } = registry.repository('copy');
    expect([...tags]).toEqual([]);
    for (const [name, blob] of blobs) expect(digestOfBlob(blob)).toBe(name);
  });
});

describe.concurrent('R10 a tag that moves while we copy', () => {
  it('does not mix two images', async ({ onTestFinished }) => {
    const moving = await testRegistry({}, onTestFinished);
    const old = putExampleIndex(moving.repository('app'), ['amd64', 'arm64'], { tag: '1', layers: [1000, 'x'] });
    moving.faults.add({
      on: { kind: 'manifest' },
      skip: 1,
      action: () => {
        putExampleIndex(moving.repository('app'), ['amd64', 'arm64'], { tag: '1', layers: [2000, 'y'], seed: 9 });
        return undefined;
      },
    });
    const registry = await testRegistry({}, onTestFinished);
    const user = testUser({}, onTestFinished);
    const { stdout } = await user.runOk(['copy', `docker://${moving.host}/app:1`, `docker://${registry.host}/copy:1`]);
    expect(moving.faults.struck).toEqual([1]);
    expect(stdout.toString()).toContain(old.digest);
    expect(registry.repository('copy').tags.get('1')).toBe(old.digest);
    expect(await findProblems(registry.url, 'copy', '1')).toEqual([]);
  });
});

describe.concurrent('a registry that stays broken', () => {
  it.for([
    ['push', 503],
    ['copy', 500],
  ] as const)('%s gives up and says why', async ([command, status], { onTestFinished }) => {
    const registry = await testRegistry({}, onTestFinished);
    const faults = [{ skip: 3, times: Number.POSITIVE_INFINITY, action: { kind: 'status', status } }] as const;
    const proxy = await faultProxy({ upstream: registry.url, faults }, onTestFinished);
    const target = `${proxy.host}/copy:1`;
    const args =
      command === 'push'
        ? [`${source.host}/app:one`, target]
        : [`docker://${source.host}/app:one`, `docker://${target}`];
    const started = Date.now();
    const result = await owner.run([command, ...args]);
    expect(Date.now() - started).toBeLessThan(45_000);
    expectError(result, /^(REGISTRY_UNAVAILABLE|UPLOAD_FAILED)$/, proxy.host, String(status));
    await expectWholeOrAbsent(registry, result);
  });
});

/** Success: the tag stands for what was sent and all of it is there. Failure: there is no tag. */
async function expectWholeOrAbsent(registry: TestRegistry, result: RunResult): Promise<void> {
  if (result.code === 0) {
    expect(await findProblems(registry.url, 'copy', '1')).toEqual([]);
    expect(registry.repository('copy').tags.get('1')).toBe(digest);
  } else expect([...registry.repository('copy').tags]).toEqual([]);
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hostPlatform, ImageStore } from '@boxwright/oci';
import {
  findProblems,
  putExampleImage,
  putExampleIndex,
  startTestRegistry,
  type TestRegistry,
  tarOf,
} from '@boxwright/oci/testing';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { putImage } from '../testing/store-with-image.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
const here = hostPlatform().architecture;
const other = here === 'arm64' ? 'amd64' : 'arm64';
let directory: string;
let registry: TestRegistry;

beforeEach(async () => {
  directory = temporaryDirectory();
  registry = await startTestRegistry();
});
afterEach(() => registry.close());

/** Runs a command line in the test's directory, with a home, store and configuration of its own. */
async function cli(...args: string[]): Promise<TestContext & { code: number }> {
  const env = { HOME: directory, BOXWRIGHT_HOME: join(directory, 'store') };
  const context = testContext({ env, cwd: directory });
  const code = await runCli(args, context);
  return { ...context, code };
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  expect(stderr.text).not.toContain('error:');
  expect(code).toBe(0);
  return stdout.text;
}

/** What `--format json` prints. */
async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await ok(...args, '--format', 'json')) as T;
}

interface ShownLedger {
  readonly policy: string;
  readonly digest: string;
  readonly sourceDigest: string;
  readonly entries: readonly { readonly state: string; readonly role: string; readonly bytes: number }[];
  readonly totals: { readonly copied: number; readonly exists: number; readonly sent: number };
}

function storeImage(name: string, content: string): void {
  using store = ImageStore.open(join(directory, 'store'));
  store.tag(name, putImage(store, [[{ path: 'bin/app', content }], [{ path: 'data', content: content.repeat(2000) }]]));
}

describe('pull', () => {
  it('brings the image of this machine and keeps the digest of the index', async () => {
    const index = putExampleIndex(registry.repository('team/app'), [other, here], { tag: '1', layers: ['a', 'b'] });
    const name = `${registry.host}/team/app:1`;
    expect(await ok('pull', name)).toBe(`${name}@${index.digest}\n`);
    const mine = index.images[1];
    expect(await ok('images', '-q', '--no-trunc', name)).toBe(`${mine?.config}\n`);
    expect(await ok('inspect', '--format', 'raw', name)).toContain('"manifests"');
    const blobs = readdirSync(join(directory, 'store/blobs/sha256'));
    for (const layer of mine?.layers ?? []) expect(blobs).toContain(layer.slice(7));
    for (const layer of index.images[0]?.layers ?? []) expect(blobs).not.toContain(layer.slice(7));
    registry.clearLog();
    expect(await ok('pull', name)).toBe(`${name}@${index.digest}\n`);
    expect(registry.count()).toBeLessThanOrEqual(2);
  });

  it('says on standard error what it does, and with --quiet nothing', async () => {
    putExampleImage(registry.repository('app'), { tag: '1', architecture: here });
    const { stderr } = await cli('pull', `${registry.host}/app:1`);
    expect(stderr.text).toMatch(/^Pulling .*\/app:1\n/);
    expect(stderr.text).toMatch(/^layer [0-9a-f]{12}: .* copied/m);
    expect(stderr.text).toMatch(/copied \([\d.]+k?B\).* in \d+\.\ds\n/);
    expect((await cli('pull', '-q', `${registry.host}/app:1`)).stderr.text).toBe('');
    const failed = await cli('pull', '--format', 'json', `${registry.host}/app:2`);
    expect(JSON.parse(failed.stderr.text)).toMatchObject({ error: { code: expect.stringMatching(/NOT_FOUND$/) } });
  });

  it('takes every tag, a digest, another platform', async () => {
    const repository = registry.repository('app');
    putExampleImage(repository, { tag: 'a', seed: 1, architecture: here });
    const second = putExampleImage(repository, { tag: 'b', seed: 2, architecture: here });
    const index = putExampleIndex(repository, [here, other], { tag: 'c', seed: 10 });
    const base = `${registry.host}/app`;
    expect((await ok('pull', '-q', '--all-tags', base)).split('\n').map((line) => line.split('@')[0])).toEqual([
      `${base}:a`,
      `${base}:b`,
      `${base}:c`,
      '',
    ]);
    const [ledger] = await json<ShownLedger[]>('pull', '--platform', `linux/${other}`, `${base}:c`);
    expect(ledger).toMatchObject({ policy: 'sparse', digest: index.digest, sourceDigest: index.digest });
    expect(await ok('inspect', '--platform', `linux/${other}`, `${base}:c`)).toContain(`"Architecture": "${other}"`);
    await ok('rmi', `${base}:c`);
    await ok('prune');
    await ok('pull', '-q', '--platform', `linux/${other}`, `${base}:c`);
    expect(await ok('images', '-q', '--no-trunc', `${base}:c`)).toBe(`${index.images[1]?.config}\n`);
    expect(await ok('history', `${base}:c`)).toContain('layer 0');
    const pinned = `${base}@${second.digest}`;
    expect(await ok('pull', '-q', pinned)).toBe(`${pinned}\n`);
    expect(await ok('images', '-q', '--no-trunc', pinned)).toBe(`${second.config}\n`);
  });

  it('leaves no name behind when it fails', async () => {
    putExampleImage(registry.repository('app'), { tag: '1', architecture: here });
    registry.faults.add({ on: { kind: 'blob', method: 'GET' }, times: 1000, action: { kind: 'status', status: 404 } });
    const { code, stderr, stdout } = await cli('pull', `${registry.host}/app:1`);
    expect(stderr.text).toMatch(/\[REGISTRY_NOT_FOUND\]/);
    expect([code, stdout.text]).toEqual([1, '']);
    expect(await ok('images', '-q')).toBe('');
  });
});

describe('push', () => {
  it('compresses, under the own name or another one, and sends nothing twice', async () => {
    storeImage(`${registry.host}/app:1`, 'app');
    const name = `${registry.host}/app:1`;
    const pushed = await ok('push', name);
    expect(pushed).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}\\n$`));
    expect(await findProblems(registry.url, 'app', '1')).toEqual([]);
    expect(await ok('inspect', '--format', 'raw-manifest', `docker://${name}`)).toContain('tar+gzip');
    registry.clearLog();
    expect(await ok('push', name)).toBe(pushed);
    expect(registry.log({ method: ['POST', 'PATCH'] })).toEqual([]);
    expect(await ok('push', '--compression', 'zstd:5', name, `docker://${registry.host}/other:2`)).toContain(
      '/other:2@',
    );
    expect(await ok('inspect', '--format', 'raw-manifest', `docker://${registry.host}/other:2`)).toContain('tar+zstd');
    const plain = await json<ShownLedger[]>('push', '--compression', 'none', name, `${registry.host}/plain`);
    expect(plain[0]?.digest).toBe(plain[0]?.sourceDigest);
  });

  it('pushes of an index what was pulled, and says so', async () => {
    const index = putExampleIndex(registry.repository('app'), [here, other, 's390x'], { tag: '1' });
    const name = `${registry.host}/app:1`;
    await ok('pull', '-q', name);
    const { stdout, stderr } = await cli('push', '--compression', 'none', name, `${registry.host}/one`);
    expect(stdout.text).toContain(`@${index.images[0]?.digest}\n`);
    expect(stderr.text).toContain(`policy single: linux/${here}\n`);
    await ok('pull', '-q', '--platform', `linux/${other}`, name);
    const [ledger] = await json<ShownLedger[]>('push', name, `${registry.host}/two`);
    expect(ledger?.policy).toBe('rewrite');
    await ok('pull', '-q', '--platform', 'all', name);
    const [whole] = await json<ShownLedger[]>('push', '--compression', 'none', name, `${registry.host}/all`);
    expect(whole).toMatchObject({ policy: 'whole', digest: index.digest });
    expect(await findProblems(registry.url, 'two', 'latest')).toEqual([]);
  });

  it('mounts layers that another repository of the registry is known to have', async () => {
    putExampleImage(registry.repository('base'), { tag: '1', layers: ['one', 'two'], architecture: here });
    const name = `${registry.host}/base:1`;
    await ok('pull', '-q', name);
    const flags = ['--compression', 'none', name, `${registry.host}/team/app:1`];
    expect(await ok('push', '--dry-run', ...flags)).toContain('2 would be mounted');
    const [ledger] = await json<ShownLedger[]>('push', ...flags);
    const states = ledger?.entries.map(({ role, state }) => `${role} ${state}`);
    expect(states).toEqual(expect.arrayContaining(['config copied', 'layer mounted', 'layer mounted']));
    expect(await findProblems(registry.url, 'team/app', '1')).toEqual([]);
    await using elsewhere = await startTestRegistry();
    await ok('push', '-q', '--compression', 'none', name, `${elsewhere.host}/app`);
    expect(elsewhere.log({ path: /mount=/ })).toEqual([]);
    await ok('push', '-q', '--compression', 'none', name, `${elsewhere.host}/again`);
    expect(elsewhere.log({ path: /mount=.*from=app/ })).toHaveLength(2);
  });

  it('uploads what can no longer be mounted', async () => {
    putExampleImage(registry.repository('base'), { tag: '1', layers: ['one'], architecture: here });
    const name = `${registry.host}/base:1`;
    await ok('pull', '-q', name);
    registry.content.repositories.delete('base');
    await ok('push', '-q', '--compression', 'none', name, `${registry.host}/app:1`);
    expect(registry.count({ path: /mount=/ })).toBe(1);
    expect(await findProblems(registry.url, 'app', '1')).toEqual([]);
  });

  it('says why the digest is another one', async () => {
    storeImage(`${registry.host}/app:1`, 'app');
    expect((await cli('push', `${registry.host}/app:1`)).stderr.text).toContain(': layers were compressed\n');
  });

  it('lists what it would do and does nothing with --dry-run', async () => {
    storeImage(`${registry.host}/app:1`, 'app');
    const name = `${registry.host}/app:1`;
    const text = await ok('push', '--dry-run', name);
    expect(text).toMatch(/^PART +DIGEST +SIZE +ACTION$/m);
    expect(text).toMatch(/^layer +[0-9a-f]{12} \(before compression\) +< [\d.]+k?B +would be uploaded$/m);
    expect(text).toMatch(/^4 would be uploaded, compressed \([\d.]+kB\)$/m);
    expect(registry.log({ method: ['POST', 'PUT', 'PATCH'] })).toEqual([]);
    await ok('push', name);
    expect(await ok('push', '--dry-run', name)).toContain('up to date: nothing would be written\n');
    registry.faults.add({ times: 1000, action: { kind: 'headers', set: { warning: '299 - "moving soon"' } } });
    expect((await cli('push', '--dry-run', name)).stderr.text).toMatch(/^warning: .* says: moving soon\n$/);
    expect((await cli('push', '--dry-run', '-q', name)).stderr.text).toBe('');
    const [plan] = await json<{ upToDate: boolean; parts: { action: string }[] }[]>('push', '--dry-run', name);
    expect(plan?.upToDate).toBe(true);
    expect(new Set(plan?.parts.map(({ action }) => action))).toEqual(new Set(['exists']));
  });

  it('pushes every tag of a repository, and an id only under a name', async () => {
    for (const tag of ['1', '2']) storeImage(`${registry.host}/app:${tag}`, `app ${tag}`);
    await ok('push', '-q', '-a', `${registry.host}/app`);
    expect(await ok('tags', `${registry.host}/app`)).toBe('1\n2\n');
    const id = (await ok('images', '-q', `${registry.host}/app:1`)).trim();
    expect((await cli('push', id)).stderr.text).toContain('under which name');
    expect(await ok('push', '-q', id, `${registry.host}/byid`)).toContain('/byid:latest@');
  });
});

describe('copy', () => {
  it('keeps every digest from registry to registry and to a layout', async () => {
    await using target = await startTestRegistry();
    const index = putExampleIndex(registry.repository('app'), ['amd64', 'arm64'], { tag: '1' });
    const source = `docker://${registry.host}/app:1`;
    const copied = `docker://${target.host}/mirror/app:1`;
    expect(await ok('copy', source, copied)).toBe(`${copied}@${index.digest}\n`);
    expect(await findProblems(target.url, 'mirror/app', '1')).toEqual([]);
    expect(await ok('copy', copied, 'oci:layout:1')).toBe(`oci:layout:1@${index.digest}\n`);
    expect(await ok('inspect', '--format', 'raw', 'oci:layout:1')).toBe(await ok('inspect', '--format', 'raw', source));
    target.clearLog();
    registry.clearLog();
    await ok('copy', source, copied);
    expect(target.count() + registry.count()).toBeLessThanOrEqual(3);
  });

  it('mounts within a registry', async () => {
    putExampleImage(registry.repository('base'), { tag: '1' });
    const [ledger] = await json<ShownLedger[]>(
      'copy',
      `docker://${registry.host}/base:1`,
      `docker://${registry.host}/team/copy:1`,
    );
    expect(ledger?.entries.filter(({ role }) => role === 'layer').map(({ state }) => state)).toEqual(['mounted']);
  });

  it.each([
    [['--platform', 'linux/arm64'], 'single', false],
    [['--platform', 'linux/amd64,linux/arm64'], 'rewrite', false],
    [['--platform', 'linux/arm64', '--policy', 'sparse'], 'sparse', true],
    [['--platform', 'all'], 'whole', true],
  ])('%j is %s', async (flags, policy, keepsDigest) => {
    putExampleIndex(registry.repository('app'), ['amd64', 'arm64', 's390x'], { tag: '1' });
    const [ledger] = await json<ShownLedger[]>('copy', ...flags, `docker://${registry.host}/app:1`, 'oci:out:1');
    expect(ledger?.policy).toBe(policy);
    expect(ledger?.digest === ledger?.sourceDigest).toBe(keepsDigest);
  });

  it('converts formats and compresses when asked', async () => {
    putExampleImage(registry.repository('app'), { tag: '1' });
    const source = `docker://${registry.host}/app:1`;
    await ok('copy', '--to-format', 'docker', '--compression', 'gzip:9', source, 'oci:out:1');
    const manifest = await ok('inspect', '--format', 'raw-manifest', '--platform', 'linux/amd64', 'oci:out:1');
    expect(manifest).toContain('application/vnd.docker.image.rootfs.diff.tar.gzip');
  });

  it('takes all tags to another repository', async () => {
    for (const tag of ['1', '2']) putExampleImage(registry.repository('app'), { tag, seed: Number(tag) });
    await ok('copy', '-q', '-a', `docker://${registry.host}/app`, `docker://${registry.host}/mirror/app`);
    expect(await ok('tags', `${registry.host}/mirror/app`)).toBe('1\n2\n');
  });

  it('goes through archives and the store', async () => {
    storeImage('docker.io/library/app:1', 'app');
    const inspected = await ok('inspect', '--format', 'raw-config', 'app:1');
    await ok('copy', '-q', 'app:1', 'docker-archive:app.tar:renamed:2');
    expect(await ok('history', 'docker-archive:app.tar')).toContain('COPY files0');
    expect(await ok('inspect', 'docker-archive:app.tar')).toContain('"renamed:2"');
    await ok('copy', '-q', 'docker-archive:app.tar', 'back:3');
    expect(await ok('inspect', '--format', 'raw-config', 'back:3')).toBe(inspected);
    expect(existsSync(join(directory, 'app.tar'))).toBe(true);
  });
});

describe('inspect and history', () => {
  it('ask a registry for two documents and fetch no layer', async () => {
    const image = putExampleImage(registry.repository('app'), { tag: '1', layers: [100_000, 'x'] });
    const name = `${registry.host}/app:1`;
    const [shown] = JSON.parse(await ok('inspect', `docker://${name}`)) as Record<string, unknown>[];
    expect(shown).toMatchObject({
      Id: image.config,
      RepoTags: [name],
      RepoDigests: [`${registry.host}/app@${image.digest}`],
    });
    expect(registry.log()).toEqual(['GET /v2/app/manifests/1', `GET /v2/app/blobs/${image.config}`]);
    expect(await ok('history', '--no-trunc', `docker://${name}`)).toMatch(/layer 1 .*\n.*layer 0 .*102kB/);
    expect(registry.count({ kind: 'blob', path: new RegExp(image.layers[0] ?? '') })).toBe(0);
  });

  it('say what files take where --sizes is given, and read each layer once', async () => {
    const content = tarOf('f', Buffer.alloc(1234));
    const repository = registry.repository('app');
    const layer = repository.putBlob(content);
    const rootfs = { type: 'layers', diff_ids: [layer] };
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs,
      history: [{ created_by: 'COPY f /' }],
    });
    const described = { digest: repository.putBlob(config), size: config.length };
    const oci = 'application/vnd.oci.image';
    const manifest = {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: { mediaType: `${oci}.config.v1+json`, ...described },
      layers: [{ mediaType: `${oci}.layer.v1.tar`, digest: layer, size: content.length }],
    };
    repository.putManifest(manifest, 'sizes');
    const name = `docker://${registry.host}/app:sizes`;
    const size = async (...flags: string[]): Promise<unknown> =>
      (JSON.parse(await ok('history', '--format', 'json', ...flags, name)) as { size: number }[])[0]?.size;
    expect(await size()).toBe(content.length);
    expect(await size('--sizes')).toBe(1234);
    expect(await size('--sizes')).toBe(1234);
    const info = JSON.parse(await ok('inspect', '--sizes', '--format', 'docker-24', name)) as object[];
    expect(info[0]).toMatchObject({ Id: described.digest, Size: 1234, Container: '' });
    expect(registry.count({ kind: 'blob', path: new RegExp(layer) })).toBe(1);
  });

  it('look for a bare name here first, then in its registry', async () => {
    putExampleImage(registry.repository('app'), { tag: '1' });
    const name = `${registry.host}/app:1`;
    expect(await ok('history', name)).toContain('layer 0');
    storeImage(name, 'mine');
    registry.clearLog();
    expect(await ok('history', name)).toContain('COPY files0');
    expect(registry.count()).toBe(0);
  });

  it('say what both places said when an image is nowhere', async () => {
    storeImage(`${registry.host}/app:1`, 'mine');
    const { code, stderr } = await cli('inspect', `${registry.host}/app:2`);
    expect(stderr.text).toMatch(
      /there is no image .*\/app:2 in the store .*, and not in its registry: .*\[IMAGE_NOT_FOUND\]/,
    );
    expect(stderr.text).toContain('Did you mean');
    expect(code).toBe(1);
  });

  it.each(['inspect', 'history', 'page', 'files', 'waste', 'dockerfile', 'pull'])(
    '%s takes no image without an index for another platform than it is for',
    async (command) => {
      putExampleImage(registry.repository('app'), { tag: '1', architecture: here });
      const { code, stdout, stderr } = await cli(command, '--platform', `linux/${other}`, `${registry.host}/app:1`);
      expect([code, stdout.text]).toEqual([1, '']);
      expect(stderr.text).toMatch(`is not for linux/${other}; it has linux/${here} [PLATFORM_MISSING]`);
    },
  );

  it('choose a platform, and say which there are', async () => {
    putExampleIndex(registry.repository('app'), ['s390x', 'riscv64'], { tag: '1' });
    const name = `docker://${registry.host}/app:1`;
    expect(await ok('inspect', '--platform', 'linux/riscv64', name)).toContain('"Architecture": "riscv64"');
    const { stderr } = await cli('inspect', name);
    expect(stderr.text).toMatch(/linux\/s390x, linux\/riscv64 \[PLATFORM_MISSING\]/);
  });
});

describe('what speaks of an image', () => {
  const empty = 'application/vnd.oci.empty.v1+json';

  function artifact(path: string, subject: object | undefined, tag?: string): string {
    const repository = registry.repository(path);
    const config = { mediaType: empty, digest: repository.putBlob('{}'), size: 2 };
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = { schemaVersion: 2, mediaType, artifactType: 'application/spdx+json', config, layers: [] };
    return repository.putManifest({ ...manifest, ...(subject === undefined ? {} : { subject }) }, tag);
  }

  it('goes through the store with --referrers, is no image there, and goes with its image', async () => {
    const { digest, size, mediaType } = putExampleImage(registry.repository('app'), { tag: '1', architecture: here });
    const sbom = artifact('app', { mediaType, digest, size });
    const tag = `${digest.replace(':', '-')}.sig`;
    const signature = artifact('app', undefined, tag);
    const name = `${registry.host}/app:1`;
    await ok('pull', '-q', '--referrers', name);
    const shown = await cli('images', '--format', 'json');
    expect(JSON.parse(shown.stdout.text)).toEqual([expect.objectContaining({ tag: '1' })]);
    expect(shown.stderr.text).toBe('');
    await ok('prune', '--all');
    const push = ['push', '--referrers', '--compression', 'none', name, `${registry.host}/mirror:1`];
    const [ledger] = await json<{ referrers: string[] }[]>(...push);
    expect(ledger?.referrers.toSorted()).toEqual([sbom, signature].toSorted());
    expect(registry.repository('mirror').tags.get(tag)).toBe(signature);
    expect(registry.repository('mirror').manifests.has(sbom)).toBe(true);
    await ok('tag', name, 'other:1');
    expect(await ok('rmi', name)).toBe(`Untagged: ${name}\n`);
    expect((await ok('rmi', 'other:1')).split('\n')).toHaveLength(4);
    await ok('prune', '--all');
    expect(readdirSync(join(directory, 'store', 'blobs', 'sha256'))).toEqual([]);
  });
});

describe('tags', () => {
  it('lists all, some, or as JSON', async () => {
    const repository = registry.repository('app');
    for (const tag of ['a', 'b', 'c']) putExampleImage(repository, { tag });
    const name = `${registry.host}/app`;
    expect(await ok('tags', name)).toBe('a\nb\nc\n');
    expect(await ok('tags', '--last', 'a', '--limit', '1', `docker://${name}`)).toBe('b\n');
    expect(await json('tags', name)).toEqual({ repository: name, tags: ['a', 'b', 'c'] });
    expect((await cli('tags', `${registry.host}/none`)).stderr.text).toContain('[REGISTRY_NOT_FOUND]');
  });
});

import { hostPlatform, openRegistryAccess, type RegistryAccess } from '@boxwright/oci';
import {
  findProblems,
  putExampleImage,
  putExampleIndex,
  startTestRegistry,
  type TestRegistry,
} from '@boxwright/oci/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildEvent } from '../events.ts';
import { failures, testBuilders } from '../testing/test-build.ts';

const builder = testBuilders();
const here = hostPlatform().architecture;
const other = here === 'arm64' ? 'amd64' : 'arm64';
let registry: TestRegistry;
let access: RegistryAccess;
const registries = (): RegistryAccess => access;

beforeEach(async () => {
  registry = await startTestRegistry();
  access = openRegistryAccess({ env: {}, home: '/nonexistent' });
});
afterEach(async () => {
  access.close();
  await registry.close();
});

function stepNames(events: readonly BuildEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'vertex' ? [event.name] : []));
}

describe('FROM an image that the store has not', () => {
  it('is pulled for the wanted platform, shown, and kept', async () => {
    const index = putExampleIndex(registry.repository('base'), [here, other], { tag: '1', layers: ['b'] });
    const { build, store, write } = builder();
    write('f', 'F');
    const text = `FROM ${registry.host}/base:1\nCOPY f /\n`;
    const first = await build(text, { registries });
    expect(first.layers).toHaveLength(2);
    expect(first.config.config.Env).toContain('SEED=0');
    expect(stepNames(first.events)).toContain(`[internal] load metadata for ${registry.host}/base:1`);
    const shown = first.events.flatMap((event) => (event.type === 'status' && event.done ? [event.name] : []));
    expect(shown).toContain(index.images[0]?.layers[0]);
    expect(store.resolve(`${registry.host}/base:1`)?.digest).toBe(index.digest);
    registry.clearLog();
    await build(text, { registries });
    expect(registry.count()).toBe(0);
  });

  it('of another platform than the one in the store asks again', async () => {
    putExampleIndex(registry.repository('base'), [here, other], { tag: '1' });
    const { build } = builder();
    const text = `FROM ${registry.host}/base:1\nLABEL a=b\n`;
    expect((await build(text, { registries })).config.architecture).toBe(here);
    const platform = { os: 'linux', architecture: other };
    expect((await build(text, { registries, platform })).config.architecture).toBe(other);
  });

  it('without an index is taken also when it is for another platform', async () => {
    putExampleImage(registry.repository('base'), { tag: '1', architecture: other, layers: ['base'] });
    const { build, write } = builder();
    write('f', 'F');
    const { config } = await build(`FROM ${registry.host}/base:1\nCOPY f /\n`, {
      registries,
    });
    expect(config.architecture).toBe(other);
  });

  it('is asked for by digest, by COPY --from and by a named context', async () => {
    const repository = registry.repository('base');
    const base = putExampleImage(repository, { architecture: here, layers: ['base'] });
    putExampleImage(registry.repository('files'), { tag: '1', architecture: here, seed: 7, layers: ['files'] });
    putExampleImage(registry.repository('named'), { tag: 'latest', architecture: here, seed: 8, layers: ['named'] });
    const { build } = builder();
    const text = `FROM ${registry.host}/base:any@${base.digest}\nCOPY --from=${registry.host}/files:1 /file-7-0 /\nCOPY --from=x /file-8-0 /\n`;
    const namedContexts = new Map([['x', { kind: 'image', reference: `${registry.host}/named` }]] as const);
    const { layers } = await build(text, { registries, namedContexts });
    expect(layers.map((entries) => entries.at(-1))).toEqual([
      expect.stringContaining('file-0-0'),
      expect.stringContaining('file-7-0'),
      expect.stringContaining('file-8-0'),
    ]);
    registry.clearLog();
    await build(text, { registries, namedContexts });
    expect(registry.count()).toBe(0);
  });

  it('is not fetched for a stage that is not needed', async () => {
    const unused = putExampleImage(registry.repository('unused'), { tag: '1', architecture: here });
    putExampleImage(registry.repository('base'), { tag: '1', architecture: here, seed: 1 });
    const { build } = builder();
    await build(`FROM ${registry.host}/unused:1 AS a\nFROM ${registry.host}/base:1\nLABEL a=b\n`, { registries });
    expect(registry.log().filter((line) => line.includes('unused'))).toEqual([]);
    expect(registry.count({ path: new RegExp(unused.digest) })).toBe(0);
  });

  it('asks for each layer once, however many stages start from it', async () => {
    putExampleImage(registry.repository('base'), { tag: '1', architecture: here, layers: ['a', 'b'] });
    const { build, write } = builder();
    write('f', 'F');
    const stage = `FROM ${registry.host}/base:1`;
    await build(
      `${stage} AS a\nCOPY f /a\n${stage} AS b\nCOPY f /b\n${stage}\nCOPY --from=a /a /\nCOPY --from=b /b /\n`,
      {
        registries,
      },
    );
    expect(registry.count({ kind: 'blob', method: 'GET' })).toBe(3);
  });
});

describe('--pull', () => {
  it('takes what the registry has by now', async () => {
    const repository = registry.repository('base');
    const old = putExampleImage(repository, { tag: '1', architecture: here, seed: 1 });
    const { build, store } = builder();
    const text = `FROM ${registry.host}/base:1\nLABEL a=b\n`;
    await build(text, { registries });
    const renewed = putExampleImage(repository, { tag: '1', architecture: here, seed: 2 });
    expect((await build(text, { registries })).config.config.Env).toContain('SEED=1');
    expect(store.resolve(`${registry.host}/base:1`)?.digest).toBe(old.digest);
    expect((await build(text, { registries, pull: true })).config.config.Env).toContain('SEED=2');
    expect(store.resolve(`${registry.host}/base:1`)?.digest).toBe(renewed.digest);
  });

  it('costs one request when nothing has changed', async () => {
    putExampleImage(registry.repository('base'), { tag: '1', architecture: here });
    const { build } = builder();
    const text = `FROM ${registry.host}/base:1\nLABEL a=b\n`;
    await build(text, { registries });
    registry.clearLog();
    await build(text, { registries, pull: true });
    expect(registry.log()).toEqual(['HEAD /v2/base/manifests/1']);
  });
});

describe('a base image that cannot be had', () => {
  it('is named, with its place in the Dockerfile', async () => {
    const { build } = builder();
    await expect(build(`FROM scratch AS a\nFROM ${registry.host}/none:1\n`, { registries })).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining(`${registry.host}/none:1`),
      range: { start: { line: 2 } },
    });
  });

  it('is compared with the names in the store', async () => {
    putExampleImage(registry.repository('base'), { tag: '1', architecture: here });
    const { build } = builder();
    await build(`FROM ${registry.host}/base:1\nLABEL a=b\n`, { registries });
    await expect(build(`FROM ${registry.host}/bse:1\n`, { registries })).rejects.toMatchObject({
      hint: expect.stringContaining(`Did you mean ${registry.host}/base:1?`),
    });
  });

  it('says so when there is no such registry', async () => {
    const { build } = builder();
    await expect(build('FROM registry.invalid/base:1\n', { registries })).rejects.toMatchObject({
      code: expect.stringMatching(/^REGISTRY_(HOST_UNKNOWN|CONNECTION)$/),
      message: expect.stringContaining(
        'image registry.invalid/base:1 is not in the local store, and cannot be had from its registry: ',
      ),
    });
  });

  it('fails at its FROM when a layer is broken, and gets no name', async () => {
    const { layers } = putExampleImage(registry.repository('base'), { tag: '1', architecture: here });
    registry.faults.add({
      on: { path: new RegExp(layers[0] ?? '-') },
      times: 1000,
      action: { kind: 'status', status: 404 },
    });
    const { build, store, write } = builder();
    write('f', 'F');
    const events: BuildEvent[] = [];
    const building = build(`FROM ${registry.host}/base:1\nCOPY f /\n`, {
      registries,
      onEvent: (event) => events.push(event),
    });
    await expect(building).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
    expect(failures(events)).toEqual([[`[1/2] FROM ${registry.host}/base:1`, 'REGISTRY_NOT_FOUND']]);
    expect(store.listTags()).toEqual([]);
  });
});

describe('an output that pushes', () => {
  it('compresses, and tells what is there now', async () => {
    const { build, write, store } = builder();
    write('f', 'F'.repeat(10_000));
    const tags = [`${registry.host}/app:1`, `${registry.host}/app:2`];
    const { manifest, metadata, events } = await build('FROM scratch\nCOPY f /\n', {
      registries,
      tags,
      outputs: [{ type: 'image', push: { compression: { compression: 'gzip' } } }],
    });
    for (const tag of ['1', '2']) expect(await findProblems(registry.url, 'app', tag)).toEqual([]);
    const pushed = metadata['containerimage.digest'];
    expect(pushed).not.toBe(manifest.digest);
    expect(registry.log({ method: 'PUT', path: /manifests\/[12]$/ })).toHaveLength(2);
    expect(registry.count({ method: 'PUT', path: /uploads/ })).toBe(2);
    expect(store.resolve(tags[0] ?? '')?.digest).toBe(manifest.digest);
    const shown = events.flatMap((event) => (event.type === 'status' ? [event.name] : []));
    expect(shown).toContain(`pushing manifest for ${registry.host}/app:1@${String(pushed)}`);
  });

  it('mounts the layers of a base image of the same registry', async () => {
    const base = putExampleImage(registry.repository('base'), { tag: '1', architecture: here });
    const { build, write } = builder();
    write('f', 'F');
    await build(`FROM ${registry.host}/base:1\nCOPY f /\n`, {
      registries,
      tags: [`${registry.host}/app:1`],
      outputs: [{ type: 'image', push: { compression: undefined } }],
    });
    expect(
      registry.log({ path: new RegExp(`mount=${encodeURIComponent(base.layers[0] ?? '')}&from=base`) }),
    ).toHaveLength(1);
    expect(registry.count({ method: 'PUT', path: /uploads/ })).toBe(2);
    expect(await findProblems(registry.url, 'app', '1')).toEqual([]);
  });

  it('without a name is an error', async () => {
    const { build } = builder();
    const outputs = [{ type: 'image', push: { compression: undefined } }] as const;
    await expect(build('FROM scratch\nLABEL a=b\n', { registries, outputs })).rejects.toMatchObject({
      code: 'PUSH_WITHOUT_NAME',
    });
  });
});

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostPlatform, ImageStore } from '@boxwright/oci';
import { putExampleImage, putExampleIndex, startTestRegistry, type TestRegistry } from '@boxwright/oci/testing';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from './cli.ts';
import { putImage } from './testing/store-with-image.ts';
import { type TestContext, testContext } from './testing/test-context.ts';

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

async function unpack(...args: string[]): Promise<TestContext & { code: number }> {
  const context = testContext({
    env: { HOME: directory, BOXWRIGHT_HOME: join(directory, 'store') },
    cwd: directory,
  });
  return { ...context, code: await runCli(['unpack', ...args], context) };
}

async function ok(...args: string[]): Promise<string> {
  const { code, stderr } = await unpack(...args);
  expect(stderr.text).toContain('unpacked to');
  expect(code).toBe(0);
  return stderr.text;
}

describe('images that a command uses', () => {
  it('are pulled when the store has them not, with progress, and asked for once', async () => {
    const index = putExampleIndex(registry.repository('app'), [other, here], { tag: '1', layers: ['a', 'b'] });
    const name = `${registry.host}/app:1`;
    const text = await ok(name, 'first');
    expect(text).toMatch(/^Pulling .*\/app:1\n/);
    expect(text).toMatch(/^layer [0-9a-f]{12}: .* copied/m);
    expect(readdirSync(join(directory, 'first')).length).toBeGreaterThan(0);
    using store = ImageStore.open(join(directory, 'store'));
    expect(store.resolve(name)?.digest).toBe(index.digest);
    registry.clearLog();
    expect(await ok(name, 'second')).not.toContain('Pulling');
    expect(registry.count()).toBe(0);
  });

  it('are pulled in silence with --quiet', async () => {
    putExampleImage(registry.repository('app'), { tag: 'latest', architecture: here });
    expect(await ok('-q', `${registry.host}/app`, 'rootfs')).not.toMatch(/Pulling|copied/);
  });

  it('are looked up again with --pull always', async () => {
    const repository = registry.repository('app');
    putExampleImage(repository, { tag: '1', seed: 1, architecture: here });
    const name = `${registry.host}/app:1`;
    await ok(name, 'a');
    const second = putExampleImage(repository, { tag: '1', seed: 2, architecture: here });
    await ok(name, 'b');
    registry.clearLog();
    await ok('--pull', 'always', name, 'c');
    using store = ImageStore.open(join(directory, 'store'));
    expect(store.resolve(name)?.digest).toBe(second.digest);
    registry.clearLog();
    await ok('--pull=always', name, 'd');
    expect(registry.count()).toBe(1);
  });

  it('are not asked for with --pull never, and ids never', async () => {
    putExampleImage(registry.repository('app'), { tag: '1', architecture: here });
    for (const args of [['--pull', 'never', `${registry.host}/app:1`], ['0123456789ab']]) {
      const { code, stderr } = await unpack(...args, 'rootfs');
      expect(stderr.text).toContain('[IMAGE_NOT_FOUND]');
      expect(code).toBe(1);
    }
    expect(registry.count()).toBe(0);
    expect(existsSync(join(directory, 'rootfs'))).toBe(false);
  });

  it('are completed when another platform is wanted, or a layer is gone', async () => {
    const index = putExampleIndex(registry.repository('app'), [other, here], { tag: '1', layers: ['a', 'b'] });
    const name = `${registry.host}/app:1`;
    await ok(name, 'mine');
    expect(await ok('--platform', `linux/${other}`, name, 'other')).toContain('Pulling');
    expect(await ok('--platform', `linux/${other}`, name, 'again')).not.toContain('Pulling');
    const layer = index.images[1]?.layers[1] ?? expect.unreachable();
    rmSync(join(directory, 'store/blobs/sha256', layer.slice(7)));
    expect(await ok(name, 'complete')).toContain('Pulling');
  });

  it('are named as unknown when they are nowhere', async () => {
    using store = ImageStore.open(join(directory, 'store'));
    store.tag(`${registry.host}/mine:1`, putImage(store, [[{ path: 'a', content: 'a' }]]));
    const { code, stderr } = await unpack(`${registry.host}/mine:2`, 'rootfs');
    expect(stderr.text).toMatch(/there is no image .*mine:2 in the store .*, and not in its registry/);
    expect(stderr.text).toContain('[IMAGE_NOT_FOUND]');
    expect(code).toBe(1);
  });

  it('are refused with a word that --pull does not know', async () => {
    const { code, stderr } = await unpack('--pull', 'sometimes', 'app', 'rootfs');
    expect(stderr.text).toContain('always, missing, never');
    expect(code).toBe(2);
  });
});

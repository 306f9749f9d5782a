import { existsSync, readdirSync } from 'node:fs';
import { type Digest, ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LayerFile, putLayer } from '../copy/testing/copied.ts';
import { BuildTasks } from '../workers/tasks.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import { directoriesOf, Layer, type LayerEnvironment } from './layer.ts';

const temporary = temporaryDirectories();
let environment: LayerEnvironment;

beforeEach(() => {
  const store = ImageStore.open(temporary());
  environment = {
    store,
    pool: new WorkerPool(store.root, 2),
    inline: new BuildTasks(store),
    overlay: process.getuid?.() === 0 ? 'trusted' : 'user',
  };
});

afterEach(async () => {
  await environment.pool.close();
  environment.store.close();
});

function layerOf(files: readonly LayerFile[]): Layer {
  return layerNamed(putLayer(environment.store, files));
}

function layerNamed(diffId: Digest): Layer {
  return new Layer(environment, Promise.resolve({ diffId, size: environment.store.blobSize(diffId) ?? 0 }));
}

describe('Layer', () => {
  it('is unpacked once, when somebody asks', async () => {
    const layer = layerOf([{ path: 'a', content: 'A' }]);
    const diffId = await layer.diffId();
    expect(environment.store.snapshots.get(diffId)).toBeUndefined();
    const [one, two] = await Promise.all([layer.directory(), layer.directory()]);
    expect(one).toBe(two);
    expect(readdirSync(one)).toEqual(['a']);
    expect(environment.store.snapshots.get(diffId)).toBe(one);
    expect(await layerNamed(diffId).directory()).toBe(one);
  });

  it('of the same content is unpacked by several at the same time without harm', async () => {
    const diffId = putLayer(environment.store, [{ path: 'a', content: 'A' }]);
    const directories = await Promise.all([1, 2, 3].map(() => layerNamed(diffId).directory()));
    for (const directory of directories) expect(readdirSync(directory)).toEqual(['a']);
    expect(new Set(directories).size).toBe(1);
  });

  it('that failed fails for all who need it and nobody else', async () => {
    const failure = Promise.reject<{ diffId: Digest; size: number }>(new Error('packing failed'));
    const layer = new Layer(environment, failure);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(layer.directory()).rejects.toThrow('packing failed');
    await expect(layer.tar()).rejects.toThrow('packing failed');
    await expect(layer.diffId()).rejects.toThrow('packing failed');
  });
});

describe('directoriesOf', () => {
  it('gives base first, a layer that occurs twice at its topmost place alone', async () => {
    const a = putLayer(environment.store, [{ path: 'a', content: 'A' }]);
    const b = putLayer(environment.store, [{ path: 'b', content: 'B' }]);
    const directories = await directoriesOf([a, b, a].map(layerNamed));
    expect(directories.map((directory) => readdirSync(directory))).toEqual([['b'], ['a']]);
    expect(directories.every((directory) => existsSync(directory))).toBe(true);
    expect(await directoriesOf([])).toEqual([]);
  });
});

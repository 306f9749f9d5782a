import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../names/digest.ts';
import { ImageStore } from './store.ts';
import { endOf, startChild } from './testing/child.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-kill-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Everything that is visible is whole. Returns how much there was, so that the test cannot pass on an empty store. */
function checkStore(): { blobs: number; tags: number; snapshots: number } {
  using store = ImageStore.open(root);
  const blobs = readdirSync(join(root, 'blobs', 'sha256'));
  for (const hex of blobs) {
    expect(digestOf(readFileSync(join(root, 'blobs', 'sha256', hex)))).toBe(`sha256:${hex}`);
  }
  const tags = store.listTags();
  expect(readdirSync(join(root, 'tags'))).toHaveLength(tags.length);
  for (const { descriptor } of tags) {
    for (const layer of store.image(descriptor, { os: 'linux', architecture: 'amd64' }).layers()) {
      expect(store.readBlob(layer.descriptor.digest, 1_000_000).length).toBe(layer.descriptor.size);
    }
  }
  for (const record of store.cache.list()) expect(store.cache.get(record.key)).toBeDefined();
  const snapshots = readdirSync(join(root, 'snapshots'));
  for (const hex of snapshots) {
    const home = join(root, 'snapshots', hex);
    expect(readdirSync(home).sort()).toEqual(['fs', 'meta']);
    const files = readdirSync(join(home, 'fs'));
    expect(files).toHaveLength(10);
    for (const file of files) expect(digestOf(readFileSync(join(home, 'fs', file)))).toBe(`sha256:${hex}`);
  }
  return { blobs: blobs.length, tags: tags.length, snapshots: snapshots.length };
}

describe('kill -9', () => {
  it('at any moment leaves the store whole, and nothing behind for long', { timeout: 120_000 }, async () => {
    ImageStore.open(root).close();
    let next = 0;
    let seen = { blobs: 0, tags: 0, snapshots: 0 };
    // How much a child gets done before it is killed depends on the machine: as many rounds as it takes to see enough.
    const isEnough = (): boolean => seen.blobs > 20 && seen.tags > 3 && seen.snapshots > 3;
    for (let round = 0; round < 6 || (round < 60 && !isEnough()); round++) {
      const children = await Promise.all([0, 1].map(() => startChild('kill-worker.ts', [root, String(next)])));
      for (const child of children) {
        await sleep(Math.random() * 40);
        child.kill('SIGKILL');
      }
      for (const child of children) expect(await endOf(child)).toBe('SIGKILL');
      seen = checkStore();
      next = Math.floor(seen.blobs / 4);
    }
    expect(isEnough(), JSON.stringify(seen)).toBe(true);
    using store = ImageStore.open(root);
    await store.gc();
    checkStore();
    expect(readdirSync(join(root, 'leases'))).toEqual([]);
    // Only the collector's own.
    expect(readdirSync(join(root, 'tmp'))).toHaveLength(1);
  });
});

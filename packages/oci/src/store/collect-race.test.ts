import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore } from './store.ts';
import { endOf, startChild } from './testing/child.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-race-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('collecting garbage while others work', () => {
  it('never takes what they use or have just tagged', { timeout: 120_000 }, async () => {
    ImageStore.open(root).close();
    const children = await Promise.all(['a', 'b', 'c'].map((id) => startChild('collect-worker.ts', [root, id, '60'])));
    const ends = Promise.all(children.map(endOf));
    let removed = 0;
    let collections = 0;
    while (children.some((child) => child.exitCode === null && child.signalCode === null)) {
      using store = ImageStore.open(root);
      const report = await store.gc({ cache: 'all' });
      removed += report.removed.length;
      collections++;
    }
    expect(await ends).toEqual([0, 0, 0]);
    expect(collections).toBeGreaterThan(5);
    expect(removed).toBeGreaterThan(20);
    using store = ImageStore.open(root);
    await store.gc({ cache: 'all' });
    expect(store.listTags()).toHaveLength(3);
    expect(readdirSync(join(root, 'blobs', 'sha256'))).toHaveLength(9);
    expect(readdirSync(join(root, 'leases'))).toEqual([]);
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAvailable } from '@boxwright/sys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore } from './store.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-mounts-'));
  store = ImageStore.open(root);
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

// Locks are flock(2), through the system call library.
describe.skipIf(!isAvailable())('cache mounts', () => {
  it('keep their files, by id', async () => {
    const first = await store.cacheMounts.acquire('../../id', { sharing: 'shared' });
    writeFileSync(join(first.path, 'file'), '');
    first.release();
    first.release();
    const again = await store.cacheMounts.acquire('../../id', { sharing: 'locked' });
    expect(readdirSync(again.path)).toEqual(['file']);
    const other = await store.cacheMounts.acquire('other', { sharing: 'shared' });
    expect(readdirSync(other.path)).toEqual([]);
    again.release();
    other.release();
  });

  it('shared: one directory for all', async () => {
    const one = await store.cacheMounts.acquire('id', { sharing: 'shared' });
    const two = await store.cacheMounts.acquire('id', { sharing: 'shared' });
    expect(two.path).toBe(one.path);
    one.release();
    two.release();
  });

  it('private: another one while it is in use, the same again later', async () => {
    const one = await store.cacheMounts.acquire('id', { sharing: 'private' });
    const two = await store.cacheMounts.acquire('id', { sharing: 'private' });
    expect(two.path).not.toBe(one.path);
    one.release();
    const three = await store.cacheMounts.acquire('id', { sharing: 'private' });
    expect(three.path).toBe(one.path);
    two.release();
    three.release();
  });

  it('locked: waits, and can be called off', async () => {
    const one = await store.cacheMounts.acquire('id', { sharing: 'locked' });
    const calledOff = store.cacheMounts.acquire('id', { sharing: 'locked', signal: AbortSignal.timeout(30) });
    await expect(calledOff).rejects.toThrowError(expect.objectContaining({ name: 'TimeoutError' }));
    const waiting = store.cacheMounts.acquire('id', { sharing: 'locked' });
    let got = false;
    void waiting.then(() => {
      got = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(got).toBe(false);
    one.release();
    const two = await waiting;
    expect(two.path).toBe(one.path);
    two.release();
  });

  it('are filled once, or not at all when that fails', async () => {
    const failing = store.cacheMounts.acquire('id', {
      sharing: 'shared',
      initialise: () => {
        throw new Error('no');
      },
    });
    await expect(failing).rejects.toThrowError('no');
    const options = {
      sharing: 'shared',
      initialise: (dir: string) => writeFileSync(join(dir, 'seed'), '', { flag: 'wx' }),
    } as const;
    const one = await store.cacheMounts.acquire('id', options);
    const two = await store.cacheMounts.acquire('id', options);
    expect(readdirSync(two.path)).toEqual(['seed']);
    one.release();
    two.release();
  });
});

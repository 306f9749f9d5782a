import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { isAvailable } from '@boxwright/sys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OCI_LAYER_GZIP } from '../documents/media-types.ts';
import { type Digest, digestOf } from '../names/digest.ts';
import { currentOwner } from './owner.ts';
import { ImageStore } from './store.ts';
import { putBlob, putExampleImage } from './testing/example-image.ts';

let root: string;
/** The one that collects; it holds on to nothing, since what an open store has used stays. */
let collector: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-gc-'));
  collector = ImageStore.open(root);
});

afterEach(() => {
  collector.close();
  rmSync(root, { recursive: true, force: true });
});

/** Runs an action in a store that is closed afterwards, so that what it used may be collected. */
function inStore<T>(action: (store: ImageStore) => T): T {
  using store = ImageStore.open(root);
  return action(store);
}

function isThere(digest: Digest): boolean {
  return existsSync(collector.blobPath(digest));
}

function putSnapshot(store: ImageStore, diffId: Digest): string {
  const writer = store.snapshots.begin();
  writeFileSync(join(writer.dir, 'file'), 'x'.repeat(10_000));
  return writer.commit(diffId);
}

describe('collection', () => {
  it('keeps what tags lead to and removes the rest', async () => {
    const [kept, dropped] = inStore((store) => {
      const image = putExampleImage(store, 'kept');
      store.tag('kept', image);
      putSnapshot(store, digestOf('kept'));
      putSnapshot(store, digestOf('dropped'));
      return [image, putExampleImage(store, 'dropped')];
    });
    const report = await collector.gc();
    expect(isThere(kept.digest) && isThere(digestOf('kept'))).toBe(true);
    expect(isThere(dropped.digest) || isThere(digestOf('dropped'))).toBe(false);
    expect(readdirSync(join(root, 'snapshots'))).toEqual([digestOf('kept').slice(7)]);
    expect(report.removed.map((item) => item.kind).sort()).toEqual(['blob', 'blob', 'blob', 'snapshot']);
    expect(report.bytesFreed).toBeGreaterThan(10_000);
    expect(report.problems).toEqual([]);
    expect((await collector.gc()).removed).toEqual([]);
    expect(readdirSync(join(root, 'gc'))).toEqual([]);
  });

  it('after untagging removes the image but what another one shares', async () => {
    inStore((store) => {
      store.tag('a', putExampleImage(store, 'same layer'));
      store.tag('b', putExampleImage(store, 'same layer'));
      store.untag('a');
    });
    expect((await collector.gc()).removed).toEqual([]);
    collector.untag('b');
    expect((await collector.gc()).removed).toHaveLength(3);
  });

  it('only tells when asked', async () => {
    const digest = inStore((store) => putBlob(store, 'x')).digest;
    const report = await collector.gc({ dryRun: true });
    expect(report.removed).toMatchObject([{ kind: 'blob', name: digest }]);
    expect(isThere(digest)).toBe(true);
  });

  it('leaves what an open store has used or found', async () => {
    const digest = inStore((store) => putBlob(store, 'x')).digest;
    const user = ImageStore.open(root);
    expect(user.hasBlob(digest)).toBe(true);
    const made = putBlob(user, 'made').digest;
    const snapshot = putSnapshot(user, digest);
    expect((await collector.gc({ cache: 'all' })).removed).toEqual([]);
    expect(isThere(digest) && isThere(made) && existsSync(snapshot)).toBe(true);
    user.close();
    expect((await collector.gc()).removed).toHaveLength(3);
  });

  it('leaves the layers of an image that is in use', async () => {
    const image = inStore((store) => putExampleImage(store, 'layer'));
    using user = ImageStore.open(root);
    user.image(image).manifest();
    expect((await collector.gc()).removed).toEqual([]);
  });

  it('obeys the lease of a process that lives and ignores one that was over', async () => {
    const digest = inStore((store) => putBlob(store, 'x')).digest;
    const { pid, startTime, realm } = currentOwner();
    const lease = (start: string) => join(root, 'leases', `${pid}-${start}-${realm}-${'0'.repeat(12)}`);
    writeFileSync(lease('1'), `blob ${digest}\n`);
    writeFileSync(lease(startTime), `blob ${digest}\n`);
    expect((await collector.gc()).removed).toEqual([]);
    expect(existsSync(lease('1'))).toBe(false);
    rmSync(lease(startTime));
    expect((await collector.gc()).removed).toHaveLength(1);
  });

  it('is waited for by whoever starts to use something while things are taken away', async () => {
    const digest = inStore((store) => putBlob(store, 'x')).digest;
    const { pid, startTime, realm } = currentOwner();
    const mark = join(root, 'gc', `${pid}-${startTime}-${realm}-${'0'.repeat(12)}.sweep`);
    writeFileSync(mark, '');
    // Another thread ends the sweep: this one sleeps meanwhile.
    const script = `setTimeout(() => require('node:fs').rmSync(${JSON.stringify(mark)}), 150)`;
    const worker = new Worker(script, { eval: true });
    await once(worker, 'online');
    inStore((store) => expect(store.hasBlob(digest)).toBe(true));
    expect(existsSync(mark)).toBe(false);
    await worker.terminate();
  });

  it('removes what dead processes left and what was moved aside', async () => {
    const { pid, realm } = currentOwner();
    const abandoned = join(root, 'tmp', `${pid}-1-${realm}-${'0'.repeat(12)}`);
    mkdirSync(join(abandoned, 'deep'), { recursive: true });
    writeFileSync(join(abandoned, 'deep', 'file'), 'x');
    writeFileSync(join(root, 'corrupt', 'x'), 'x');
    // The first look at the temporary directory removes them; a fresh store has not looked yet.
    const report = await collector.gc();
    expect(existsSync(abandoned)).toBe(false);
    expect(report.removed.map((item) => item.kind)).toContain('corrupt');
  });

  it('waits for another collection', async () => {
    const reports = await Promise.all([collector.gc(), collector.gc(), collector.gc()]);
    expect(reports).toHaveLength(3);
    writeFileSync(
      join(root, 'gc', `${process.pid}-${currentOwner().startTime}-${currentOwner().realm}-${'0'.repeat(12)}.mark`),
      '',
    );
    await expect(collector.gc({ signal: AbortSignal.timeout(100) })).rejects.toThrowError(
      expect.objectContaining({ name: 'TimeoutError' }),
    );
  });

  it('says which tagged image is damaged', async () => {
    const image = inStore((store) => {
      const descriptor = putExampleImage(store, 'x');
      store.tag('x', descriptor);
      return descriptor;
    });
    rmSync(collector.blobPath(image.digest));
    writeFileSync(collector.blobPath(image.digest), '{"schemaVersion":2}', { mode: 0o444 });
    const report = await collector.gc();
    expect(report.problems).toHaveLength(1);
  });
});

describe('collection of the cache', () => {
  it('keeps it, drops what no image uses, or drops all', async () => {
    inStore((store) => {
      store.tag('image', putExampleImage(store, 'used'));
      store.cache.put('used', 1, { blobs: [digestOf('used')] });
      store.cache.put('unused', 1, { blobs: [putBlob(store, 'unused').digest] });
      for (const name of ['used', 'unused']) putSnapshot(store, digestOf(name));
    });
    const kinds = async (options: Parameters<ImageStore['gc']>[0]) =>
      (await collector.gc(options)).removed.map((item) => item.kind).sort();
    expect(await kinds({})).toEqual([]);
    expect(await kinds({ cache: 'unused', olderThanMs: 60_000 })).toEqual([]);
    expect(await kinds({ cache: 'unused' })).toEqual(['blob', 'cache-record', 'snapshot']);
    expect(await kinds({ cache: 'unused' })).toEqual([]);
    expect(await kinds({ cache: 'all' })).toEqual(['cache-record', 'snapshot']);
    expect(inStore((store) => store.resolve('image') !== undefined)).toBe(true);
    expect(isThere(digestOf('used'))).toBe(true);
  });

  it('goes by when a record was last of use', async () => {
    inStore((store) => {
      for (const key of ['old', 'fresh']) store.cache.put(key, key, { blobs: [] });
      for (const record of store.cache.list()) utimesSync(record.path, 1_000_000, 1_000_000);
      store.cache.get('fresh');
    });
    const report = await collector.gc({ cache: 'all', olderThanMs: 60_000 });
    expect(report.removed).toMatchObject([{ kind: 'cache-record', name: 'old' }]);
  });

  it('drops expanded layers of images that are gone', async () => {
    const content = Buffer.from('expanded');
    const user = ImageStore.open(root);
    const blob = putBlob(user, gzipSync(content));
    const path = await user.layerTar({ mediaType: OCI_LAYER_GZIP, ...blob }, digestOf(content));
    expect(existsSync(path)).toBe(true);
    user.close();
    expect((await collector.gc()).removed.map((item) => item.kind).sort()).toEqual(['blob', 'layer']);
    expect(existsSync(path)).toBe(false);
  });

  // Locks are flock(2), through the system call library.
  it.skipIf(!isAvailable())('drops cache mounts that nobody has taken', async () => {
    const taken = await collector.cacheMounts.acquire('taken', { sharing: 'shared' });
    const idle = await collector.cacheMounts.acquire('idle', { sharing: 'locked' });
    writeFileSync(join(idle.path, 'file'), 'x');
    idle.release();
    expect((await collector.gc({ cache: 'unused' })).removed).toEqual([]);
    expect((await collector.gc({ cache: 'all' })).removed).toMatchObject([{ kind: 'cache-mount', name: 'idle' }]);
    expect(existsSync(idle.path)).toBe(false);
    expect(existsSync(taken.path)).toBe(true);
    taken.release();
  });
});

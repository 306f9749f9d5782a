import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { ImageStore, parseDigest } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { CopyTask } from '../copy/copy-task.ts';
import { fromFailure, toFailure } from './messages.ts';
import { WorkerPool } from './worker-pool.ts';

const temporary = temporaryDirectories();
const pools: WorkerPool[] = [];
const stores: ImageStore[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  for (const store of stores.splice(0)) store.close();
});

function setUp(size = 2) {
  const store = ImageStore.open(temporary());
  stores.push(store);
  const pool = new WorkerPool(store.root, size);
  pools.push(pool);
  const context = temporary();
  writeFileSync(join(context, 'file'), 'content');
  return { store, pool, context };
}

function copyTask(context: string, path = '/file'): CopyTask {
  const transfer = { from: { kind: 'context' }, path, wildcards: false, include: [], required: undefined, unpack: false, followLinks: true } as const; // biome-ignore format: plain
  return {
    operation: {
      kind: 'copy',
      transfers: [transfer],
      dest: '/file',
      chown: undefined,
      chmod: undefined,
      exclude: [],
      link: true,
    },
    locations: [{ kind: 'directory', path: context, ignore: undefined, indexName: context }],
    nowNs: 0n,
    epochNs: 0n,
  };
}

describe('WorkerPool', () => {
  it('runs tasks, a ticket in the worker that gave it', async () => {
    const { store, pool, context } = setUp();
    const worker = pool.pick();
    const ticket = await pool.call(worker, 'prepareCopy', copyTask(context));
    expect(ticket).toMatchObject({ files: 1, bytes: 7 });
    const { diffId, size } = await pool.call(worker, 'writeCopy', ticket.ticket, []);
    expect(store.hasBlob(diffId)).toBe(true);
    expect(readFileSync(store.blobPath(diffId)).subarray(512, 519).toString()).toBe('content');
    expect(size).toBe(store.blobSize(diffId));
    await expect(pool.call(worker, 'writeCopy', ticket.ticket, [])).rejects.toThrow(/no prepared copy/);
  });

  it('starts no more threads than it may, and gives work to the least busy', async () => {
    const { pool, context } = setUp(2);
    const first = pool.pick();
    const one = pool.call(first, 'prepareCopy', copyTask(context));
    const second = pool.pick();
    expect(second).not.toBe(first);
    const two = pool.call(second, 'prepareCopy', copyTask(context));
    const three = pool.call(first, 'prepareCopy', copyTask(context));
    expect(pool.pick()).toBe(second);
    await Promise.all([one, two, three]);
    expect(pool.pick()).toBe(first);
  });

  it('hands errors on with code, hint and details', async () => {
    const { pool, context } = setUp();
    const failed: unknown = await pool
      .call(pool.pick(), 'prepareCopy', copyTask(context, '/missing'))
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(BoxwrightError);
    expect(failed).toMatchObject({ code: 'COPY_SOURCE_NOT_FOUND', details: { path: '/missing' } });
    expect((failed as BoxwrightError).hint).toContain('.dockerignore');
  });

  it('hands system errors on with their facts', async () => {
    const { pool } = setUp();
    const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
    await expect(pool.call(pool.pick(), 'unpackSnapshot', '/nowhere/at/all', digest, [], 'user')).rejects.toMatchObject(
      {
        code: 'ENOENT',
        syscall: 'open',
        path: '/nowhere/at/all',
      },
    );
  });

  it('goes on after a failed task', async () => {
    const { pool, context } = setUp(1);
    await expect(pool.call(pool.pick(), 'prepareCopy', copyTask(context, '/missing'))).rejects.toThrow();
    expect(await pool.call(pool.pick(), 'prepareCopy', copyTask(context))).toMatchObject({ files: 1 });
  });

  it('waits at its close for what is under way, and may be closed without ever having worked', async () => {
    const { pool, context } = setUp();
    const pending = pool.call(pool.pick(), 'prepareCopy', copyTask(context));
    await pool.close();
    expect(await pending).toMatchObject({ files: 1 });
    await pool.close();
    await setUp().pool.close();
  });

  it('replaces a thread that could not start, tells why, and closes', async () => {
    const root = join(temporary(), 'store');
    mkdirSync(join(root, '..'), { recursive: true });
    writeFileSync(root, 'a file is no store');
    const pool = new WorkerPool(root, 1);
    const first = pool.pick();
    await expect(pool.call(first, 'dropCopy', 1)).rejects.toThrow();
    await expect(pool.call(first, 'dropCopy', 1)).rejects.toThrow();
    expect(pool.pick()).not.toBe(first);
    await pool.close();
  });
});

describe('failures', () => {
  it('survive the structured clone', () => {
    const there = (error: unknown): Error => fromFailure(structuredClone(toFailure(error)));
    const ours = new BoxwrightError('SOME_CODE', 'what', { hint: 'do this', details: { count: 3 } });
    expect(there(ours)).toMatchObject({ code: 'SOME_CODE', message: 'what', hint: 'do this', details: { count: 3 } });
    expect(there(new BoxwrightError('SOME_CODE', 'what'))).toBeInstanceOf(BoxwrightError);
    const system = Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write', path: '/x', errno: -28 });
    expect(there(system)).toMatchObject({ code: 'ENOSPC', syscall: 'write', path: '/x', errno: -28 });
    expect(there(new RangeError('odd')).message).toBe('odd');
    expect(there('text').message).toBe('text');
  });
});

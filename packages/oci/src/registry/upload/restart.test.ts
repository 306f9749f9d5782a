import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOfBlob, generatedBlob, startTestRegistry, type TestRegistry } from '../testing/index.ts';
import { startUploadChild } from './testing/run-upload-child.ts';
import type { UploadChildTask } from './testing/upload-child.ts';

const MiB = 1024 * 1024;
const size = 150 * MiB;
const seed = 5;
const digest = digestOfBlob(generatedBlob(size, seed));

let registry: TestRegistry;
let journalDirectory: string;

beforeEach(async () => {
  journalDirectory = mkdtempSync(join(tmpdir(), 'boxwright-upload-'));
  registry = await startTestRegistry({ keepUpTo: 0 });
});

afterEach(async () => {
  await registry.close();
  rmSync(journalDirectory, { recursive: true });
});

function task(more: Partial<UploadChildTask> = {}): UploadChildTask {
  return { url: registry.url, repository: 'team/app', journalDirectory, size, seed, digest, ...more };
}

function received(): number {
  return registry.requests.reduce((sum, request) => sum + request.received, 0);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

describe('kill -9 in the middle of an upload', { timeout: 60_000 }, () => {
  it.each([
    ['a blob', {}],
    ['a stream', { key: 'gzip:9:layer' }],
  ])('of %s, run again: only the rest is sent', async (_, more) => {
    const first = startUploadChild(task(more));
    // In the middle of a chunk, not between two.
    await until(() => received() > 70 * MiB && registry.requests.at(-1)?.status === 0);
    await first.kill();
    expect(await first.receipt).toBeUndefined();
    const notes = readdirSync(journalDirectory).filter((name) => name.endsWith('.json'));
    expect(notes).toHaveLength(1);
    expect(statSync(join(journalDirectory, notes[0] ?? '')).mode & 0o777).toBe(0o600);
    const kept = [...registry.repository('team/app').uploads.values()][0]?.content.size ?? 0;
    expect(kept).toBeGreaterThan(64 * MiB);

    registry.clearLog();
    const receipt = await startUploadChild(task(more)).receipt;
    expect(received()).toBe(size - kept);
    expect(receipt).toEqual({ digest, size, sent: size - kept, tries: 1, resumedAt: kept });
    expect(registry.repository('team/app').blobs.get(digest)?.size).toBe(size);
    expect(registry.count({ method: 'POST' })).toBe(0);
    expect(readdirSync(journalDirectory)).toEqual([]);
  });

  it('where the registry has forgotten the session: all is sent', async () => {
    const first = startUploadChild(task());
    await until(() => received() > 40 * MiB);
    await first.kill();
    registry.repository('team/app').uploads.clear();
    registry.clearLog();
    const receipt = await startUploadChild(task()).receipt;
    expect(receipt).toEqual({ digest, size, sent: size, tries: 1, resumedAt: 0 });
  });

  it('a session belongs to the process that works on it', async () => {
    const first = startUploadChild(task({ stopAt: 100 * MiB }));
    await until(() => received() === 100 * MiB);
    registry.clearLog();
    const second = await startUploadChild(task()).receipt;
    expect(second).toMatchObject({ sent: size, resumedAt: 0 });
    await first.kill();
    // The first one's note is still there, and is taken by whoever comes next.
    expect(readdirSync(journalDirectory)).toHaveLength(1);
    expect(await startUploadChild(task()).receipt).toMatchObject({ sent: 50 * MiB, resumedAt: 100 * MiB });
    expect(readdirSync(journalDirectory)).toEqual([]);
  });
});

import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../../documents/descriptor.ts';
import { parseDigest } from '../../names/digest.ts';
import type { Registries } from '../session/registries.ts';
import {
  type Fault,
  generatedBlob,
  type StoredBlob,
  startTestRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from '../testing/index.ts';
import { createBlobUploader } from './blob-uploader.ts';
import { plainRegistries } from './testing/plain-registries.ts';
import { type BlobContent, type BlobReceipt, type BlobUploader, checkedContent } from './upload.ts';

const MiB = 1024 * 1024;
const name = 'team/app';

let registry: TestRegistry;
let registries: Registries;
let uploader: BlobUploader;
let journalDirectory: string;

async function start(options: TestRegistryOptions = {}, signal?: AbortSignal): Promise<void> {
  await registry?.close();
  registries?.close();
  registry = await startTestRegistry({ keepUpTo: 0, ...options });
  registries = plainRegistries(registry.url);
  uploader = newUploader(signal);
}

function newUploader(signal?: AbortSignal): BlobUploader {
  const repository = { registry: registry.host, path: name };
  return createBlobUploader({ registries, repository, journalDirectory, signal });
}

beforeEach(() => {
  journalDirectory = mkdtempSync(join(tmpdir(), 'boxwright-upload-'));
});

afterEach(async () => {
  registries.close();
  await registry.close();
  rmSync(journalDirectory, { recursive: true });
});

interface Example {
  readonly blob: StoredBlob;
  readonly descriptor: Descriptor;
  readonly content: BlobContent;
  /** Offsets that readings began at. */
  readonly readings: number[];
}

function example(size: number, seed = 1): Example {
  const blob = generatedBlob(size, seed);
  const hash = createHash('sha256');
  for (const piece of blob.read(0, size)) hash.update(piece);
  const readings: number[] = [];
  return {
    blob,
    descriptor: { mediaType: 'application/octet-stream', digest: parseDigest(`sha256:${hash.digest('hex')}`), size },
    readings,
    content: async function* (offset) {
      readings.push(offset);
      yield* blob.read(offset, size);
    },
  };
}

/** Bytes that the registry took in. */
function received(): number {
  return registry.requests.reduce((sum, request) => sum + request.received, 0);
}

function stored(digest: string): StoredBlob | undefined {
  return registry.repository(name).blobs.get(digest);
}

async function upload({ descriptor, content }: Example): Promise<BlobReceipt & { readonly progress: number }> {
  let progress = 0;
  const receipt = await uploader.upload(descriptor, content, (count) => {
    progress += count;
  });
  expect(stored(descriptor.digest)?.size).toBe(descriptor.size);
  expect(receipt).toMatchObject({ digest: descriptor.digest, size: descriptor.size });
  expect(progress).toBe(descriptor.size);
  expect(registry.repository(name).uploads.size).toBe(0);
  expect(readdirSync(journalDirectory)).toEqual([]);
  return { ...receipt, progress };
}

function faults(...list: Fault[]): void {
  registry.faults.add(...list);
}

const patches = { method: 'PATCH', kind: 'upload' } as const;
const puts = { method: 'PUT', kind: 'upload' } as const;

describe('an upload', () => {
  it.each([0, 1, 70_000, MiB, MiB + 1, 32 * MiB])('of %d bytes takes two requests', async (size) => {
    await start();
    const receipt = await upload(example(size));
    expect(receipt).toMatchObject({ sent: size, tries: 1, resumedAt: 0 });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('of more goes in chunks', async () => {
    await start();
    const receipt = await upload(example(70 * MiB));
    expect(receipt).toMatchObject({ sent: 70 * MiB, tries: 1, resumedAt: 0 });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT']);
    expect(registry.requests.map(({ headers }) => headers['content-range'] ?? '-')).toEqual([
      '-',
      `0-${32 * MiB - 1}`,
      `${32 * MiB}-${64 * MiB - 1}`,
      `${64 * MiB}-${70 * MiB - 1}`,
      '-',
    ]);
  });
});

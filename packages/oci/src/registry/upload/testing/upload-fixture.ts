import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Descriptor } from '../../../documents/descriptor.ts';
import { type Digest, parseDigest } from '../../../names/digest.ts';
import type { Registries } from '../../session/registries.ts';
import {
  digestOfBlob,
  generatedBlob,
  type StoredBlob,
  startTestRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from '../../testing/index.ts';
import { createBlobUploader } from '../blob-uploader.ts';
import type { BlobContent, BlobReceipt, BlobUploader } from '../upload.ts';
import { plainRegistries } from './plain-registries.ts';

/** Bytes. */
export const MiB: number = 1024 * 1024;
/** Bytes. Chunks are 32 of these, parts of streams 8: small, to be quick. */
export const unit: number = MiB / 8;
/** The repository that everything goes to. */
export const name = 'team/app';

/** Filters of requests. */
export const patches = { method: 'PATCH', kind: 'upload' } as const;
export const puts = { method: 'PUT', kind: 'upload' } as const;

/** A blob to upload. */
export interface Example {
  readonly blob: StoredBlob;
  readonly descriptor: Descriptor;
  readonly content: BlobContent;
  /** Offsets that readings began at. */
  readonly readings: number[];
}

const digests = new Map<string, Digest>();

/** A blob of random-looking bytes. */
export function example(size: number, seed = 1): Example {
  const blob = generatedBlob(size, seed);
  const digest = digests.get(`${size} ${seed}`) ?? parseDigest(digestOfBlob(blob));
  digests.set(`${size} ${seed}`, digest);
  const readings: number[] = [];
  return {
    blob,
    descriptor: { mediaType: 'application/octet-stream', digest, size },
    readings,
    content: async function* (offset) {
      readings.push(offset);
      yield* blob.read(offset, size);
    },
  };
}

/** A registry and what uploads to it, for each test of a file. */
export interface UploadFixture {
  readonly registry: TestRegistry;
  readonly registries: Registries;
  readonly journalDirectory: string;
  /** Made by {@link start}; tests may put another one here. */
  uploader: BlobUploader;
  start(options?: TestRegistryOptions, signal?: AbortSignal): Promise<void>;
  newUploader(signal?: AbortSignal, chunkBytes?: number): BlobUploader;
  /** Uploads, and checks all that holds after any upload that went well. */
  upload(example: Example): Promise<BlobReceipt>;
  stored(digest: string): StoredBlob | undefined;
  /** Bytes that the registry took in. */
  received(): number;
  /** Bodies of PATCH requests that came whole, in units. */
  patched(): number[];
}

/** To be called once, at the top of a test file. */
export function uploadFixture(): UploadFixture {
  const fixture = new Fixture();
  beforeEach(() => {
    fixture.journalDirectory = mkdtempSync(join(tmpdir(), 'boxwright-upload-'));
  });
  afterEach(async () => await fixture.stop());
  return fixture;
}

interface Running {
  readonly registry: TestRegistry;
  readonly registries: Registries;
  uploader: BlobUploader;
}

class Fixture implements UploadFixture {
  journalDirectory = '';
  #running: Running | undefined;

  get registry(): TestRegistry {
    return this.#started().registry;
  }

  get registries(): Registries {
    return this.#started().registries;
  }

  get uploader(): BlobUploader {
    return this.#started().uploader;
  }

  set uploader(uploader: BlobUploader) {
    this.#started().uploader = uploader;
  }

  async start(options: TestRegistryOptions = {}, signal?: AbortSignal): Promise<void> {
    const registry = await startTestRegistry({ keepUpTo: 0, ...options });
    const registries = plainRegistries(registry.url);
    this.#running = { registry, registries, uploader: this.#uploader(registry, registries, signal) };
  }

  newUploader(signal?: AbortSignal, chunkBytes?: number): BlobUploader {
    return this.#uploader(this.registry, this.registries, signal, chunkBytes);
  }

  async upload({ descriptor, content }: Example): Promise<BlobReceipt> {
    let progress = 0;
    const receipt = await this.uploader.upload(descriptor, content, (count) => {
      progress += count;
    });
    assert.equal(this.stored(descriptor.digest)?.size, descriptor.size);
    assert.deepEqual([receipt.digest, receipt.size], [descriptor.digest, descriptor.size]);
    assert.equal(progress, descriptor.size);
    assert.equal(this.registry.repository(name).uploads.size, 0);
    assert.deepEqual(readdirSync(this.journalDirectory), []);
    return receipt;
  }

  stored(digest: string): StoredBlob | undefined {
    return this.registry.repository(name).blobs.get(digest);
  }

  received(): number {
    return this.registry.requests.reduce((sum, request) => sum + request.received, 0);
  }

  patched(): number[] {
    return this.registry.requests
      .filter(({ method, status }) => method === 'PATCH' && status === 202)
      .map((request) => request.received / unit);
  }

  async stop(): Promise<void> {
    this.#running?.registries.close();
    await this.#running?.registry.close();
    this.#running = undefined;
    rmSync(this.journalDirectory, { recursive: true });
  }

  #started(): Running {
    if (this.#running === undefined) throw new Error('call start first');
    return this.#running;
  }

  #uploader(
    registry: TestRegistry,
    registries: Registries,
    signal?: AbortSignal,
    chunkBytes = 32 * unit,
  ): BlobUploader {
    const repository = { registry: registry.host, path: name };
    return createBlobUploader({
      registries,
      repository,
      journalDirectory: this.journalDirectory,
      signal,
      chunkBytes,
    });
  }
}

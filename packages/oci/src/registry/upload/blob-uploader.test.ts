import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../../documents/descriptor.ts';
import { type Digest, parseDigest } from '../../names/digest.ts';
import type { Registries } from '../session/registries.ts';
import {
  digestOfBlob,
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
/** Chunks are 32 of these, parts of streams 8: small, to be quick. */
const unit = MiB / 8;
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

function newUploader(signal?: AbortSignal, chunkBytes = 32 * unit): BlobUploader {
  const repository = { registry: registry.host, path: name };
  return createBlobUploader({ registries, repository, journalDirectory, signal, chunkBytes });
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

const digests = new Map<string, Digest>();

function example(size: number, seed = 1): Example {
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

const patches = { method: 'PATCH', kind: 'upload' } as const;
const puts = { method: 'PUT', kind: 'upload' } as const;

/** Bodies of PATCH requests that came whole, in units. */
function patched(): number[] {
  return registry.requests
    .filter(({ method, status }) => method === 'PATCH' && status === 202)
    .map((request) => request.received / unit);
}

describe('an upload', () => {
  it.each([0, 1, 70_000, MiB, MiB + 1, 32 * unit])('of %d bytes takes two requests', async (size) => {
    await start();
    const receipt = await upload(example(size));
    expect(receipt).toMatchObject({ sent: size, tries: 1, resumedAt: 0 });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('of more goes in chunks', async () => {
    await start();
    const receipt = await upload(example(70 * unit));
    expect(receipt).toMatchObject({ sent: 70 * unit, tries: 1, resumedAt: 0 });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT']);
    expect(registry.requests.map(({ headers }) => headers['content-range'] ?? '-')).toEqual([
      '-',
      `0-${32 * unit - 1}`,
      `${32 * unit}-${64 * unit - 1}`,
      `${64 * unit}-${70 * unit - 1}`,
      '-',
    ]);
  });

  it.each(['relative', 'elsewhere'] as const)('follows Locations that are %s', async (locations) => {
    await start({ locations });
    await upload(example(33 * unit));
    await upload(example(100, 2));
  });

  it('makes chunks as large as the registry wants them', async () => {
    await start({ chunkMinLength: 40 * unit });
    await upload(example(90 * unit));
    expect(patched()).toEqual([40, 40, 10]);
  });

  it('makes requests as small as a proxy wants them, also those to come', async () => {
    await start({ bodyLimit: 10 * MiB });
    uploader = newUploader(undefined, 32 * MiB);
    const receipt = await upload(example(34 * MiB));
    expect(receipt.tries).toBe(3);
    expect(patched()).toEqual([64, 64, 64, 64, 16]);
    registry.clearLog();
    expect(await upload(example(12 * MiB, 2))).toMatchObject({ tries: 1, sent: 12 * MiB });
  });

  it('does without chunks where there are none', async () => {
    await start({ chunks: false });
    await upload(example(40 * unit));
    registry.clearLog();
    expect(await upload(example(41 * unit, 2))).toMatchObject({ tries: 1 });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('says what to do when every size is too large', async () => {
    await start({ bodyLimit: 100 });
    const { descriptor, content } = example(5000);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({
      code: 'UPLOAD_FAILED',
      hint: expect.stringContaining('client_max_body_size'),
    });
  });

  it('uses a session that a refused mount has opened, and gives back what is not used', async () => {
    await start();
    const { descriptor, content } = example(5 * unit);
    const open = async (): Promise<URL> => {
      const answer = await fetch(`${registry.url}/v2/${name}/blobs/uploads/`, { method: 'POST' });
      return new URL(answer.headers.get('location') ?? '');
    };
    await uploader.adopt(descriptor.digest, await open());
    await uploader.adopt(descriptor.digest, await open());
    registry.clearLog();
    await uploader.upload(descriptor, content);
    expect(registry.requests.map(({ method }) => method)).toEqual(['PUT']);
    await uploader.adopt(descriptor.digest, await open());
    await uploader.close();
    expect(registry.repository(name).uploads.size).toBe(0);
  });

  it('ends with the signal, and goes on another time', async () => {
    const controller = new AbortController();
    await start({}, controller.signal);
    const one = example(100 * unit);
    let count = 0;
    const failing = uploader.upload(one.descriptor, one.content, (more) => {
      count += more;
      if (count > 70 * unit) controller.abort(new Error('enough'));
    });
    await expect(failing).rejects.toThrow('enough');
    uploader = newUploader();
    const receipt = await upload(one);
    expect(receipt.resumedAt).toBeGreaterThanOrEqual(64 * unit);
    expect(receipt.sent).toBe(100 * unit - receipt.resumedAt);
  });
});

describe('a stream', () => {
  const key = 'gzip:9:sha256:…';

  async function uploadStream({ descriptor, content }: Example): Promise<BlobReceipt> {
    let progress = 0;
    const receipt = await newUploader(undefined, 8 * unit).uploadStream(key, content, (count) => {
      progress += count;
    });
    expect(receipt).toMatchObject({ digest: descriptor.digest, size: descriptor.size });
    expect(stored(descriptor.digest)?.size).toBe(descriptor.size);
    expect(progress).toBe(descriptor.size);
    expect(readdirSync(journalDirectory)).toEqual([]);
    return receipt;
  }

  it.each([0, 1, 5000, 8 * unit, 20 * unit + 1])('of %d bytes gets its digest at the end', async (size) => {
    await start();
    expect(await uploadStream(example(size))).toMatchObject({ sent: size, tries: 1, resumedAt: 0 });
  });

  it('sends a part again that was lost, without making it again', async () => {
    await start({ faults: [{ on: patches, skip: 1, action: { kind: 'cut-up', after: 3 * unit } }] });
    const one = example(30 * unit);
    expect(await uploadStream(one)).toMatchObject({ tries: 2 });
    expect(one.readings).toEqual([0]);
    expect(patched()).toEqual([8, 5, 8, 6]);
  });

  it('starts over where the session is gone', async () => {
    await start({
      cutUploads: 'distribution',
      faults: [{ on: patches, skip: 1, action: { kind: 'cut-up', after: 3 * unit } }],
    });
    const one = example(30 * unit);
    await uploadStream(one);
    expect(one.readings).toEqual([0, 0]);
  });

  it.each([
    ['kept in memory', 20 * unit, [20, 10]],
    ['not kept', 64 * MiB, [30]],
  ])('makes parts as large as the registry wants them: %s', async (_, chunkMinLength, parts) => {
    await start({ chunkMinLength });
    await uploadStream(example(30 * unit));
    expect(patched()).toEqual(parts);
  });

  it('that is one request survives its loss', async () => {
    await start({ chunkMinLength: 64 * MiB, faults: [{ on: patches, action: { kind: 'cut-up', after: 3 * unit } }] });
    expect(await uploadStream(example(30 * unit))).toMatchObject({ tries: 2 });
  });

  it('that begins otherwise than the one before starts over', async () => {
    await start();
    const first = example(30 * unit, 1);
    const broken: BlobContent = async function* () {
      yield* first.blob.read(0, 20 * unit);
      throw new Error('the disk is full');
    };
    await expect(newUploader(undefined, 8 * unit).uploadStream(key, broken)).rejects.toThrow('the disk is full');
    expect(readdirSync(journalDirectory)).toHaveLength(1);
    uploader = newUploader();
    expect(await uploadStream(example(30 * unit, 2))).toMatchObject({ resumedAt: 0 });
  });
});

describe('R2: wrong bytes', () => {
  const size = 40 * unit;

  it.each([
    ['small', 5000],
    ['in one request', 20 * unit],
    ['in chunks', size],
  ])('are not committed: %s', async (_, bytes) => {
    await start();
    const { descriptor } = example(bytes, 1);
    const { content } = example(bytes, 2);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    // Nothing that a registry which checks nothing could take for the whole.
    expect(registry.requests.filter(({ method, status }) => method === 'PUT' && status !== 0)).toEqual([]);
    expect(registry.requests.filter((put) => put.method === 'PUT' && put.received >= bytes)).toEqual([]);
    expect(stored(descriptor.digest)).toBeUndefined();
    expect(readdirSync(journalDirectory)).toEqual([]);
  });

  it.each([
    ['fewer', 5000, -1],
    ['more', 5000, 1],
    ['fewer', size, -1],
    ['more', size, 1],
  ])('%s than the descriptor says are not committed (%d bytes)', async (_, bytes, difference) => {
    await start();
    const { descriptor } = example(bytes);
    const { content } = example(bytes + difference);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    expect(stored(descriptor.digest)).toBeUndefined();
    expect(registry.count({ ...puts })).toBe(0);
  });

  it('that the source finds itself are not committed', async () => {
    await start();
    const { descriptor, blob } = example(size);
    const content = checkedContent(async function* () {
      yield* blob.read(0, size - 1);
      throw new Error('found by the source');
    });
    await expect(uploader.upload(descriptor, content)).rejects.toThrow('found by the source');
    expect(registry.count(puts)).toBe(0);
  });

  it('that came about on the way are sent again', async () => {
    await start({ faults: [{ on: patches, action: { kind: 'corrupt-up', at: 100 } }] });
    const receipt = await upload(example(size));
    expect(receipt).toMatchObject({ tries: 2, sent: 2 * size });
  });

  it('that come about on the way each time are an error', async () => {
    await start({ faults: [{ on: patches, times: 1000, action: { kind: 'corrupt-up', at: 100 } }] });
    const { descriptor, content } = example(size);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({
      code: 'UPLOAD_FAILED',
      hint: expect.stringContaining('proxy'),
    });
    expect(registry.count(puts)).toBe(3);
    expect(stored(descriptor.digest)).toBeUndefined();
  });

  it('under another digest header are an error', async () => {
    const set = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    await start({ faults: [{ on: puts, action: { kind: 'headers', set } }] });
    const { descriptor, content } = example(5000);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'UPLOAD_FAILED' });
  });
});

describe('R7: uploads are not idempotent', () => {
  const size = 70 * unit;
  const cutSecond: Fault = { on: patches, skip: 1, action: { kind: 'cut-up', after: 10 * unit } };

  it('a cut chunk goes on where the registry is', async () => {
    await start({ faults: [cutSecond] });
    const one = example(size);
    const receipt = await upload(one);
    expect(receipt.tries).toBe(2);
    expect(received()).toBe(size);
    expect(registry.count({ method: 'GET', kind: 'upload' })).toBe(1);
    // Read again from the chunk on, not from the start.
    expect(one.readings).toEqual([0, 32 * unit]);
  });

  it('a session that is gone is started over', async () => {
    await start({ cutUploads: 'distribution', faults: [cutSecond] });
    const receipt = await upload(example(size));
    expect(receipt.tries).toBe(2);
    expect(received()).toBe(42 * unit + size);
    expect(registry.count({ method: 'POST' })).toBe(2);
  });

  it('a chunk whose answer was lost is not sent twice', async () => {
    await start({ faults: [{ on: patches, skip: 1, action: { kind: 'lost-answer' } }] });
    await upload(example(size));
    expect(received()).toBe(size);
  });

  it('a chunk that comes twice is answered with 416, and the upload goes on', async () => {
    // The registry says that it has less than it has.
    const set = { range: '0-1023' };
    await start({
      faults: [
        { on: patches, action: { kind: 'headers', set } },
        { on: { method: 'GET', kind: 'upload' }, action: { kind: 'headers', set } },
      ],
    });
    await upload(example(size));
    expect(registry.requests.some(({ status }) => status === 416)).toBe(true);
    expect(registry.count({ method: 'POST' })).toBe(1);
  });

  it('416 over and over starts over, then fails', async () => {
    await start({ faults: [{ on: patches, times: 100, action: { kind: 'status', status: 416 } }] });
    const { descriptor, content } = example(size);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'UPLOAD_FAILED' });
    expect(registry.count({ method: 'POST' })).toBeGreaterThan(1);
    expect(registry.count(patches)).toBe(6);
    expect(readdirSync(journalDirectory)).toEqual([]);
  });

  it.each([
    ['in one request', 20 * unit],
    ['in chunks', size],
  ])('a lost answer to the commit is looked up by HEAD: %s', async (_, bytes) => {
    await start({ keepUpTo: size, faults: [{ on: puts, action: { kind: 'lost-answer' } }] });
    const receipt = await upload(example(bytes));
    expect(receipt).toMatchObject({ tries: 2, sent: bytes });
    expect(registry.count({ method: 'HEAD', kind: 'blob' })).toBe(1);
    expect(registry.count(puts)).toBe(1);
  });

  it('a commit that never arrived is made again, without the bytes', async () => {
    await start({ faults: [{ on: puts, action: { kind: 'refuse' } }] });
    expect(await upload(example(size))).toMatchObject({ tries: 2, sent: size });
    expect(registry.count(puts)).toBe(2);
  });

  it('a registry that fails for long makes the upload fail, and what it has is kept for another run', async () => {
    await start({ faults: [{ on: patches, skip: 2, times: 1000, action: { kind: 'status', status: 503 } }] });
    const one = example(size);
    await expect(uploader.upload(one.descriptor, one.content)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(registry.count(patches)).toBe(8);
    registry.faults.clear();
    registry.clearLog();
    uploader = newUploader();
    expect(await upload(one)).toMatchObject({ resumedAt: 64 * unit, sent: 6 * unit, tries: 1 });
    // The whole was read and checked again.
    expect(one.readings.at(-1)).toBe(0);
    expect(registry.requests.map(({ method }) => method)).toEqual(['GET', 'PATCH', 'PUT']);
  });

  it('progress between failures keeps an upload going', async () => {
    await start({ faults: [{ on: patches, every: 2, times: 20, action: { kind: 'cut-up', after: 3 * unit } }] });
    const { content } = example(size);
    expect((await newUploader(undefined, 8 * unit).uploadStream('key', content)).tries).toBeGreaterThan(8);
    expect(received()).toBe(size);
  });

  it('the journal has no more in it than it needs', async () => {
    await start({ faults: [{ on: patches, skip: 1, times: 1000, action: { kind: 'refuse' } }] });
    const { descriptor, content } = example(size);
    await expect(uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION' });
    const [file = ''] = readdirSync(journalDirectory);
    expect(JSON.parse(readFileSync(join(journalDirectory, file), 'utf8'))).toEqual({
      version: 1,
      registry: registry.host,
      repository: name,
      content: descriptor.digest,
      location: expect.stringContaining(`${registry.url}/v2/${name}/blobs/uploads/`),
      accepted: 32 * unit,
      minChunk: 0,
      prefix: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      time: expect.any(String),
    });
  });
});

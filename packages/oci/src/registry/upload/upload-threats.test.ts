import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../testing/index.ts';
import { example, name, patches, puts, unit, uploadFixture } from './testing/upload-fixture.ts';
import { checkedContent } from './upload.ts';

const f = uploadFixture();

describe('R2: wrong bytes', () => {
  const size = 40 * unit;

  it.each([
    ['small', 5000],
    ['in one request', 20 * unit],
    ['in chunks', size],
  ])('are not committed: %s', async (_, bytes) => {
    await f.start();
    const { descriptor } = example(bytes, 1);
    const { content } = example(bytes, 2);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    // Nothing that a registry which checks nothing could take for the whole.
    expect(f.registry.requests.filter(({ method, status }) => method === 'PUT' && status !== 0)).toEqual([]);
    expect(f.registry.requests.filter((put) => put.method === 'PUT' && put.received >= bytes)).toEqual([]);
    expect(f.stored(descriptor.digest)).toBeUndefined();
    expect(readdirSync(f.journalDirectory)).toEqual([]);
  });

  it.each([
    ['fewer', 5000, -1],
    ['more', 5000, 1],
    ['fewer', size, -1],
    ['more', size, 1],
  ])('%s than the descriptor says are not committed (%d bytes)', async (_, bytes, difference) => {
    await f.start();
    const { descriptor } = example(bytes);
    const { content } = example(bytes + difference);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    expect(f.stored(descriptor.digest)).toBeUndefined();
    expect(f.registry.count({ ...puts })).toBe(0);
  });

  it('that the source finds itself are not committed', async () => {
    await f.start();
    const { descriptor, blob } = example(size);
    const content = checkedContent(async function* () {
      yield* blob.read(0, size - 1);
      throw new Error('found by the source');
    });
    await expect(f.uploader.upload(descriptor, content)).rejects.toThrow('found by the source');
    expect(f.registry.count(puts)).toBe(0);
  });

  it('that came about on the way are sent again', async () => {
    await f.start({ faults: [{ on: patches, action: { kind: 'corrupt-up', at: 100 } }] });
    const receipt = await f.upload(example(size));
    expect(receipt).toMatchObject({ tries: 2, sent: 2 * size });
  });

  it('that come about on the way each time are an error', async () => {
    await f.start({ faults: [{ on: patches, times: 1000, action: { kind: 'corrupt-up', at: 100 } }] });
    const { descriptor, content } = example(size);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({
      code: 'UPLOAD_FAILED',
      hint: expect.stringContaining('proxy'),
    });
    expect(f.registry.count(puts)).toBe(3);
    expect(f.stored(descriptor.digest)).toBeUndefined();
  });

  it('under another digest header are an error', async () => {
    const set = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    await f.start({ faults: [{ on: puts, action: { kind: 'headers', set } }] });
    const { descriptor, content } = example(5000);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'UPLOAD_FAILED' });
  });
});

describe('R7: uploads are not idempotent', () => {
  const size = 70 * unit;
  const cutSecond: Fault = { on: patches, skip: 1, action: { kind: 'cut-up', after: 10 * unit } };

  it('a cut chunk goes on where the registry is', async () => {
    await f.start({ faults: [cutSecond] });
    const one = example(size);
    const receipt = await f.upload(one);
    expect(receipt.tries).toBe(2);
    expect(f.received()).toBe(size);
    expect(f.registry.count({ method: 'GET', kind: 'upload' })).toBe(1);
    // Read again from the chunk on, not from the start.
    expect(one.readings).toEqual([0, 32 * unit]);
  });

  it('a session that is gone is started over', async () => {
    await f.start({ cutUploads: 'distribution', faults: [cutSecond] });
    const receipt = await f.upload(example(size));
    expect(receipt.tries).toBe(2);
    expect(f.received()).toBe(42 * unit + size);
    expect(f.registry.count({ method: 'POST' })).toBe(2);
  });

  it('a chunk whose answer was lost is not sent twice', async () => {
    await f.start({ faults: [{ on: patches, skip: 1, action: { kind: 'lost-answer' } }] });
    await f.upload(example(size));
    expect(f.received()).toBe(size);
  });

  it('a chunk that comes twice is answered with 416, and the upload goes on', async () => {
    // The registry says that it has less than it has.
    const set = { range: '0-1023' };
    await f.start({
      faults: [
        { on: patches, action: { kind: 'headers', set } },
        { on: { method: 'GET', kind: 'upload' }, action: { kind: 'headers', set } },
      ],
    });
    await f.upload(example(size));
    expect(f.registry.requests.some(({ status }) => status === 416)).toBe(true);
    expect(f.registry.count({ method: 'POST' })).toBe(1);
  });

  it('416 over and over starts over, then fails', async () => {
    await f.start({ faults: [{ on: patches, times: 100, action: { kind: 'status', status: 416 } }] });
    const { descriptor, content } = example(size);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'UPLOAD_FAILED' });
    expect(f.registry.count({ method: 'POST' })).toBeGreaterThan(1);
    expect(f.registry.count(patches)).toBe(6);
    expect(readdirSync(f.journalDirectory)).toEqual([]);
  });

  it.each([
    ['in one request', 20 * unit],
    ['in chunks', size],
  ])('a lost answer to the commit is looked up by HEAD: %s', async (_, bytes) => {
    await f.start({ keepUpTo: size, faults: [{ on: puts, action: { kind: 'lost-answer' } }] });
    const receipt = await f.upload(example(bytes));
    expect(receipt).toMatchObject({ tries: 2, sent: bytes });
    expect(f.registry.count({ method: 'HEAD', kind: 'blob' })).toBe(1);
    expect(f.registry.count(puts)).toBe(1);
  });

  it('a commit that never arrived is made again, without the bytes', async () => {
    await f.start({ faults: [{ on: puts, action: { kind: 'refuse' } }] });
    expect(await f.upload(example(size))).toMatchObject({ tries: 2, sent: size });
    expect(f.registry.count(puts)).toBe(2);
  });

  it('a registry that fails for long makes the upload fail, and what it has is kept for another run', async () => {
    await f.start({ faults: [{ on: patches, skip: 2, times: 1000, action: { kind: 'status', status: 503 } }] });
    const one = example(size);
    await expect(f.uploader.upload(one.descriptor, one.content)).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
    });
    expect(f.registry.count(patches)).toBe(8);
    f.registry.faults.clear();
    f.registry.clearLog();
    f.uploader = f.newUploader();
    expect(await f.upload(one)).toMatchObject({ resumedAt: 64 * unit, sent: 6 * unit, tries: 1 });
    // The whole was read and checked again.
    expect(one.readings.at(-1)).toBe(0);
    expect(f.registry.requests.map(({ method }) => method)).toEqual(['GET', 'PATCH', 'PUT']);
  });

  it('progress between failures keeps an upload going', async () => {
    await f.start({ faults: [{ on: patches, every: 2, times: 20, action: { kind: 'cut-up', after: 3 * unit } }] });
    const { content } = example(size);
    expect((await f.newUploader(undefined, 8 * unit).uploadStream('key', content)).tries).toBeGreaterThan(8);
    expect(f.received()).toBe(size);
  });

  it('the journal has no more in it than it needs', async () => {
    await f.start({ faults: [{ on: patches, skip: 1, times: 1000, action: { kind: 'refuse' } }] });
    const { descriptor, content } = example(size);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION' });
    const [file = ''] = readdirSync(f.journalDirectory);
    expect(JSON.parse(readFileSync(join(f.journalDirectory, file), 'utf8'))).toEqual({
      version: 1,
      registry: f.registry.host,
      repository: name,
      content: descriptor.digest,
      location: expect.stringContaining(`${f.registry.url}/v2/${name}/blobs/uploads/`),
      accepted: 32 * unit,
      minChunk: 0,
      prefix: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      time: expect.any(String),
    });
  });
});

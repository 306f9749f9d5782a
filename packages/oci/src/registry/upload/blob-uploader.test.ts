import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Example, example, MiB, name, patches, unit, uploadFixture } from './testing/upload-fixture.ts';
import type { BlobContent, BlobReceipt } from './upload.ts';

const f = uploadFixture();

describe('an upload', () => {
  it.each([0, 1, 70_000, MiB, MiB + 1, 32 * unit])('of %d bytes takes two requests', async (size) => {
    await f.start();
    const receipt = await f.upload(example(size));
    expect(receipt).toMatchObject({ sent: size, tries: 1, resumedAt: 0 });
    expect(f.registry.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('of more goes in chunks', async () => {
    await f.start();
    const receipt = await f.upload(example(70 * unit));
    expect(receipt).toMatchObject({ sent: 70 * unit, tries: 1, resumedAt: 0 });
    expect(f.registry.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT']);
    expect(f.registry.requests.map(({ headers }) => headers['content-range'] ?? '-')).toEqual([
      '-',
      `0-${32 * unit - 1}`,
      `${32 * unit}-${64 * unit - 1}`,
      `${64 * unit}-${70 * unit - 1}`,
      '-',
    ]);
  });

  it.each(['relative', 'elsewhere'] as const)('follows Locations that are %s', async (locations) => {
    await f.start({ locations });
    await f.upload(example(33 * unit));
    await f.upload(example(100, 2));
  });

  it('makes chunks as large as the registry wants them', async () => {
    await f.start({ chunkMinLength: 40 * unit });
    await f.upload(example(90 * unit));
    expect(f.patched()).toEqual([40, 40, 10]);
  });

  it('makes requests as small as a proxy wants them, also those to come', async () => {
    await f.start({ bodyLimit: 10 * MiB });
    f.uploader = f.newUploader(undefined, 32 * MiB);
    const receipt = await f.upload(example(34 * MiB));
    expect(receipt.tries).toBe(3);
    expect(f.patched()).toEqual([64, 64, 64, 64, 16]);
    f.registry.clearLog();
    expect(await f.upload(example(12 * MiB, 2))).toMatchObject({ tries: 1, sent: 12 * MiB });
  });

  it('does without chunks where there are none', async () => {
    await f.start({ chunks: false });
    await f.upload(example(40 * unit));
    f.registry.clearLog();
    expect(await f.upload(example(41 * unit, 2))).toMatchObject({ tries: 1 });
    expect(f.registry.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('says what to do when every size is too large', async () => {
    await f.start({ bodyLimit: 100 });
    const { descriptor, content } = example(5000);
    await expect(f.uploader.upload(descriptor, content)).rejects.toMatchObject({
      code: 'UPLOAD_FAILED',
      hint: expect.stringContaining('client_max_body_size'),
    });
  });

  it('uses a session that a refused mount has opened, and gives back what is not used', async () => {
    await f.start();
    const { descriptor, content } = example(5 * unit);
    const open = async (): Promise<URL> => {
      const answer = await fetch(`${f.registry.url}/v2/${name}/blobs/uploads/`, { method: 'POST' });
      return new URL(answer.headers.get('location') ?? '');
    };
    await f.uploader.adopt(descriptor.digest, await open());
    await f.uploader.adopt(descriptor.digest, await open());
    f.registry.clearLog();
    await f.uploader.upload(descriptor, content);
    expect(f.registry.requests.map(({ method }) => method)).toEqual(['PUT']);
    await f.uploader.adopt(descriptor.digest, await open());
    await f.uploader.close();
    expect(f.registry.repository(name).uploads.size).toBe(0);
  });

  it('ends with the signal, and goes on another time', async () => {
    const controller = new AbortController();
    await f.start({}, controller.signal);
    const one = example(100 * unit);
    let count = 0;
    const failing = f.uploader.upload(one.descriptor, one.content, (more) => {
      count += more;
      if (count > 70 * unit) controller.abort(new Error('enough'));
    });
    await expect(failing).rejects.toThrow('enough');
    f.uploader = f.newUploader();
    const receipt = await f.upload(one);
    expect(receipt.resumedAt).toBeGreaterThanOrEqual(64 * unit);
    expect(receipt.sent).toBe(100 * unit - receipt.resumedAt);
  });
});

describe('a stream', () => {
  const key = 'gzip:9:sha256:…';

  async function uploadStream({ descriptor, content }: Example): Promise<BlobReceipt> {
    let progress = 0;
    const receipt = await f.newUploader(undefined, 8 * unit).uploadStream(key, content, (count) => {
      progress += count;
    });
    expect(receipt).toMatchObject({ digest: descriptor.digest, size: descriptor.size });
    expect(f.stored(descriptor.digest)?.size).toBe(descriptor.size);
    expect(progress).toBe(descriptor.size);
    expect(readdirSync(f.journalDirectory)).toEqual([]);
    return receipt;
  }

  it.each([0, 1, 5000, 8 * unit, 20 * unit + 1])('of %d bytes gets its digest at the end', async (size) => {
    await f.start();
    expect(await uploadStream(example(size))).toMatchObject({ sent: size, tries: 1, resumedAt: 0 });
  });

  it('sends a part again that was lost, without making it again', async () => {
    await f.start({ faults: [{ on: patches, skip: 1, action: { kind: 'cut-up', after: 3 * unit } }] });
    const one = example(30 * unit);
    expect(await uploadStream(one)).toMatchObject({ tries: 2 });
    expect(one.readings).toEqual([0]);
    expect(f.patched()).toEqual([8, 5, 8, 6]);
  });

  it('starts over where the session is gone', async () => {
    await f.start({
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
    await f.start({ chunkMinLength });
    await uploadStream(example(30 * unit));
    expect(f.patched()).toEqual(parts);
  });

  it('that is one request survives its loss', async () => {
    await f.start({ chunkMinLength: 64 * MiB, faults: [{ on: patches, action: { kind: 'cut-up', after: 3 * unit } }] });
    expect(await uploadStream(example(30 * unit))).toMatchObject({ tries: 2 });
  });

  it('that begins otherwise than the one before starts over', async () => {
    await f.start();
    const first = example(30 * unit, 1);
    const broken: BlobContent = async function* () {
      yield* first.blob.read(0, 20 * unit);
      throw new Error('the disk is full');
    };
    await expect(f.newUploader(undefined, 8 * unit).uploadStream(key, broken)).rejects.toThrow('the disk is full');
    expect(readdirSync(f.journalDirectory)).toHaveLength(1);
    f.uploader = f.newUploader();
    expect(await uploadStream(example(30 * unit, 2))).toMatchObject({ resumedAt: 0 });
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDigest } from '../../names/digest.ts';
import { createAuthenticator, credentialStore } from '../auth/index.ts';
import { openRegistries, type Registries } from '../session/index.ts';
import { digestOfBlob, generatedBlob } from '../testing/index.ts';
import { createTransport } from '../transport/index.ts';
import { createBlobUploader } from './blob-uploader.ts';
import { type Distribution, hasDistribution, startDistribution } from './testing/distribution.ts';
import { startUploadChild } from './testing/run-upload-child.ts';
import type { BlobContent } from './upload.ts';

const MiB = 1024 * 1024;
const repository = 'team/app';

// The real thing is a Debian package; the other tests do the same with the registry for tests.
describe.skipIf(!hasDistribution)('uploads to CNCF Distribution 2.8', { timeout: 60_000 }, () => {
  let distribution: Distribution;
  let registries: Registries;
  let journalDirectory: string;

  beforeAll(async () => {
    distribution = await startDistribution();
    const transport = createTransport();
    const credentials = credentialStore({ env: {}, home: distribution.directory });
    const authenticator = createAuthenticator({ transport, credentials });
    registries = openRegistries({ transport, authenticator });
  });

  afterAll(async () => {
    registries?.close();
    await distribution?.stop();
  });

  beforeEach(() => {
    journalDirectory = mkdtempSync(join(tmpdir(), 'boxwright-upload-'));
  });

  afterEach(() => rmSync(journalDirectory, { recursive: true }));

  function uploader(): ReturnType<typeof createBlobUploader> {
    return createBlobUploader({
      registries,
      repository: { registry: distribution.host, path: repository },
      journalDirectory,
    });
  }

  function blob(size: number, seed: number): { readonly digest: string; readonly content: BlobContent } {
    const made = generatedBlob(size, seed);
    return {
      digest: digestOfBlob(made),
      content: async function* (offset) {
        yield* made.read(offset, size);
      },
    };
  }

  async function sizeThere(digest: string): Promise<number> {
    const answer = await fetch(`${distribution.url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' });
    return answer.ok ? Number(answer.headers.get('content-length')) : -1;
  }

  it.each([0, 1, 5000, 20 * MiB, 70 * MiB])('blobs of %d bytes', async (size) => {
    const { digest, content } = blob(size, size);
    const descriptor = { mediaType: 'application/octet-stream', digest: parseDigest(digest), size };
    expect(await uploader().upload(descriptor, content)).toMatchObject({ sent: size, tries: 1 });
    expect(await sizeThere(digest)).toBe(size);
  });

  it.each([1, 5000, 20 * MiB])('streams of %d bytes', async (size) => {
    const { digest, content } = blob(size, size + 1);
    expect(await uploader().uploadStream('key', content)).toMatchObject({ digest, sent: size, tries: 1 });
    expect(await sizeThere(digest)).toBe(size);
  });

  const size = 150 * MiB;
  const digest = digestOfBlob(generatedBlob(size, 9));
  const task = { repository, size, seed: 9, digest };

  it('kill -9 between two requests: only the rest is sent', async () => {
    const all = { ...task, url: distribution.url, journalDirectory, key: 'layer' };
    // The content comes to a stop, as with a compression that is slower than the network.
    const first = startUploadChild({ ...all, stopAt: 100 * MiB });
    while (accepted(journalDirectory) < 96 * MiB) await sleep(10);
    await first.kill();
    expect(await startUploadChild(all).receipt).toMatchObject({ digest, sent: 54 * MiB, resumedAt: 96 * MiB });
    expect(await sizeThere(digest)).toBe(size);
  });

  it('kill -9 in the middle of a request: 2.8 cannot go on, the upload starts over', async () => {
    const all = { ...task, url: distribution.url, journalDirectory };
    const first = startUploadChild(all);
    while (accepted(journalDirectory) < 32 * MiB) await sleep(2);
    await sleep(20);
    await first.kill();
    const receipt = await startUploadChild(all).receipt;
    expect(receipt).toMatchObject({ digest, tries: 1 });
    expect([0, 32 * MiB, 64 * MiB, 96 * MiB]).toContain(receipt?.resumedAt);
    expect(receipt?.sent).toBe(size - (receipt?.resumedAt ?? 0));
    expect(readdirSync(journalDirectory)).toEqual([]);
  });

  it('what the rules of UploadSession are made from', async () => {
    const open = async (): Promise<string> => {
      const answer = await fetch(`${distribution.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
      expect(answer.headers.get('range')).toBe('0-0');
      return answer.headers.get('location') ?? '';
    };
    const patch = async (url: string, bytes: number): Promise<Response> =>
      await fetch(url, { method: 'PATCH', body: Buffer.alloc(bytes), headers: { 'content-range': '7-8' } });

    // Content-Range is not looked at; "0-0" is one byte, too.
    const first = await open();
    const one = await patch(first, 1);
    expect([one.status, one.headers.get('range')]).toEqual([202, '0-0']);
    const second = one.headers.get('location') ?? '';
    // Who asks with an older Location is told that there is no such session, but it lives on under the newer one.
    expect((await fetch(first)).status).toBe(404);
    expect((await fetch(second)).status).toBe(204);

    // An interrupted PATCH ends it.
    const cut = await open();
    await new Promise<void>((resolve) => {
      const outgoing = request(cut, { method: 'PATCH', headers: { 'content-length': 10 * MiB } });
      outgoing.on('error', () => {});
      outgoing.on('close', resolve);
      outgoing.write(Buffer.alloc(5 * MiB), () => setTimeout(() => outgoing.destroy(), 100));
    });
    await sleep(100);
    expect((await fetch(cut)).status).toBe(404);
    expect((await patch(cut, 1)).status).toBe(404);
  });
});

/** Bytes that the journal says were accepted. */
function accepted(directory: string): number {
  const [name] = readdirSync(directory).filter((entry) => entry.endsWith('.json'));
  if (name === undefined) return -1;
  try {
    return Number(/"accepted":([0-9]+)/.exec(readFileSync(join(directory, name), 'utf8'))?.[1] ?? -1);
  } catch {
    return -1;
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDigest } from '../../names/digest.ts';
import { createAuthenticator, credentialStore } from '../auth/index.ts';
import { openRegistries, type Registries } from '../session/index.ts';
import { digestOfBlob, type Fault, generatedBlob, startTestRegistry, type TestRegistry } from '../testing/index.ts';
import { createTransport } from '../transport/index.ts';
import { createBlobUploader } from './blob-uploader.ts';

const MiB = 1024 * 1024;
const size = 10 * MiB;
const patches = { method: 'PATCH', kind: 'upload' } as const;

let registry: TestRegistry;
let registries: Registries;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'boxwright-upload-'));
});

afterEach(async () => {
  registries.close();
  await registry.close();
  rmSync(home, { recursive: true });
});

/** Uploads 10 MiB in chunks of 2 MiB, through all that requests go through. */
async function upload(faults: (registry: () => TestRegistry) => Fault[]): Promise<{ sent: number; tries: number }> {
  registry = await startTestRegistry({
    auth: { kind: 'token', users: { ann: 'secret' } },
    faults: faults(() => registry),
  });
  const transport = createTransport();
  const auths = { [registry.host]: { auth: Buffer.from('ann:secret').toString('base64') } };
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
  const credentials = credentialStore({ env: { DOCKER_CONFIG: home }, home });
  registries = openRegistries({
    transport,
    authenticator: createAuthenticator({ transport, credentials }),
    timing: { firstMs: 1, maxMs: 5 },
  });
  const uploader = createBlobUploader({
    registries,
    repository: { registry: registry.host, path: 'team/app' },
    journalDirectory: join(home, 'journal'),
    chunkBytes: 2 * MiB,
  });
  const blob = generatedBlob(size, 3);
  const digest = parseDigest(digestOfBlob(blob));
  const content = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (const piece of blob.read(offset, size)) {
      for (let at = 0; at < piece.length; at += 65536) yield piece.subarray(at, at + 65536);
    }
  };
  const receipt = await uploader.upload({ mediaType: 'application/octet-stream', digest, size }, content);
  expect(registry.repository('team/app').blobs.get(digest)?.size).toBe(size);
  return receipt;
}

describe('uploads with authentication and retries', () => {
  it('ask for one token', async () => {
    expect(await upload(() => [])).toMatchObject({ sent: size, tries: 1 });
    expect(registry.count({ kind: 'token' })).toBe(1);
    expect(registry.count({ kind: 'upload' })).toBeLessThanOrEqual(8);
  });

  it('R8: a token that expires between two chunks is renewed, the chunk is read again', async () => {
    const receipt = await upload((running) => [
      {
        on: patches,
        skip: 2,
        action: () => {
          running().tokens?.expireAll();
          return undefined;
        },
      },
    ]);
    expect(receipt.tries).toBe(1);
    expect(registry.count({ kind: 'token' })).toBe(2);
  });

  it.each([
    [503, 'before', false],
    [503, 'in the middle of', true],
    [429, 'in the middle of', true],
    [500, 'before', false],
  ])('R7: %d %s the body of a chunk: goes on where it was', async (status, _, early) => {
    const receipt = await upload(() => [{ on: patches, skip: 1, action: { kind: 'status', status, early } }]);
    expect(receipt.tries).toBeLessThanOrEqual(2);
    expect(registry.count({ method: 'POST', kind: 'upload' })).toBeLessThanOrEqual(2);
    expect(receipt.sent).toBeLessThanOrEqual(size + 2 * MiB);
  });

  it.each(['refuse', 'lost-answer'] as const)('R7: a commit that meets %s', async (kind) => {
    const receipt = await upload(() => [{ on: { method: 'PUT', kind: 'upload' }, action: { kind } }]);
    expect(receipt.sent).toBe(size);
  });
});

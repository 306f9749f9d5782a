import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../documents/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import { currentOwner, ownedName } from './owner.ts';
import { ImageStore } from './store.ts';
import { putExampleImage } from './testing/example-image.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-store-'));
  store = ImageStore.open(join(root, 'home'));
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function sha256(bytes: string | Uint8Array): Digest {
  // Computed here: a digest by construction.
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

function put(text: string): Digest {
  const blob = store.createBlob();
  blob.write(Buffer.from(text));
  return blob.commit().digest;
}

/** As after a power cut: of another boot, not fsynced. */
function makeStale(path: string): void {
  chmodSync(path, 0o600);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
}

describe('blobs', () => {
  it('are found by their digest once committed, not before', () => {
    const blob = store.createBlob();
    blob.write(Buffer.from('hel'));
    blob.write(Buffer.from('lo'));
    expect(store.hasBlob(sha256('hello'))).toBe(false);
    expect(blob.commit({ digest: sha256('hello'), size: 5 })).toEqual({ digest: sha256('hello'), size: 5 });
    expect(store.hasBlob(sha256('hello'))).toBe(true);
    expect(store.readBlob(sha256('hello'), 100).toString()).toBe('hello');
    expect(store.blobPath(sha256('hello'))).toBe(join(store.root, 'blobs', 'sha256', sha256('hello').slice(7)));
  });

  it('are not stored when digest or size is another', () => {
    const wrongDigest = store.createBlob();
    wrongDigest.write(Buffer.from('x'));
    expect(() => wrongDigest.commit({ digest: sha256('y') })).toThrowError(
      expect.objectContaining({ code: 'BLOB_MISMATCH' }),
    );
    const wrongSize = store.createBlob();
    wrongSize.write(Buffer.from('x'));
    expect(() => wrongSize.commit({ size: 2 })).toThrowError(expect.objectContaining({ code: 'BLOB_MISMATCH' }));
    expect(store.hasBlob(sha256('x'))).toBe(false);
    expect(readdirSync(dirname(store.temporaryPath()))).toEqual([]);
  });

  it('leave nothing when aborted', () => {
    const blob = store.createBlob();
    blob.write(Buffer.from('x'));
    blob.abort();
    blob.abort();
    expect(() => blob.write(Buffer.from('y'))).toThrow();
    expect(readdirSync(dirname(store.temporaryPath()))).toEqual([]);
  });

  it('may be committed twice', () => {
    expect(put('same')).toBe(put('same'));
    expect(statSync(store.blobPath(sha256('same'))).nlink).toBe(1);
  });

  it('take sha512 names', () => {
    const blob = store.createBlob('sha512');
    blob.write(Buffer.from('hello'));
    const { digest } = blob.commit();
    expect(digest).toMatch(/^sha512:[0-9a-f]{128}$/);
    expect(store.readBlob(digest, 10).toString()).toBe('hello');
  });

  it.each([
    'sha256:../../../etc/passwd',
    'sha256:ABC',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    `sha256:${'a'.repeat(65)}`,
    '',
  ])('refuse the digest %j', (digest) => {
    // What a parser let through by mistake.
    expect(() => store.hasBlob(digest as Digest)).toThrowError(expect.objectContaining({ code: 'DIGEST_INVALID' }));
  });

  it('that are missing or too large are named errors', () => {
    expect(() => store.readBlob(sha256('no'), 10)).toThrowError(expect.objectContaining({ code: 'BLOB_MISSING' }));
    expect(() => store.openBlob(sha256('no'))).toThrowError(expect.objectContaining({ code: 'BLOB_MISSING' }));
    const digest = put('hello');
    expect(() => store.readBlob(digest, 4)).toThrowError(expect.objectContaining({ code: 'BLOB_TOO_LARGE' }));
  });

  it('that went bad are reported with their path, moved aside, and healed by writing them again', () => {
    const digest = put('hello');
    const path = store.blobPath(digest);
    const { mtimeMs } = statSync(path);
    writeFileSync(path, 'hullo');
    utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
    expect(() => store.readBlob(digest, 10)).toThrowError(
      expect.objectContaining({
        code: 'BLOB_CORRUPT',
        message: expect.stringContaining(path),
        hint: expect.stringContaining('build'),
      }),
    );
    expect(store.hasBlob(digest)).toBe(false);
    put('hello');
    expect(store.readBlob(digest, 10).toString()).toBe('hello');
  });

  it('of an earlier boot are only trusted after hashing', () => {
    const whole = put('whole');
    const torn = put('torn');
    makeStale(store.blobPath(whole));
    writeFileSync(store.blobPath(torn), '');
    makeStale(store.blobPath(torn));
    const later = ImageStore.open(store.root);
    expect(later.hasBlob(whole)).toBe(true);
    expect(statSync(later.blobPath(whole)).mode & 0o222).toBe(0);
    expect(later.hasBlob(torn)).toBe(false);
    expect(existsSync(later.blobPath(torn))).toBe(false);
    later.close();
  });

  it('torn by a power cut give way to a new copy', () => {
    const digest = put('torn');
    writeFileSync(store.blobPath(digest), 'tor');
    makeStale(store.blobPath(digest));
    put('torn');
    expect(store.readBlob(digest, 10).toString()).toBe('torn');
  });

  it('are made durable at once when asked', () => {
    const blob = store.createBlob();
    blob.write(Buffer.from('kept'));
    const { digest } = blob.commit({}, { durable: true });
    expect(statSync(store.blobPath(digest)).mode & 0o777).toBe(0o444);
  });

  it('stream in pieces', () => {
    const text = 'x'.repeat(3_000_000);
    const digest = put(text);
    let size = 0;
    for (const piece of store.blobPieces(digest, text.length)) size += piece.length;
    expect(size).toBe(3_000_000);
    expect(() => [...store.blobPieces(digest, 7)]).toThrowError(expect.objectContaining({ code: 'BLOB_MISMATCH' }));
    expect(store.hasBlob(digest)).toBe(true);
  });
});

describe('cache', () => {
  it('gives back what was put', () => {
    const digest = put('layer');
    store.cache.put('key', { layers: [digest], n: 1 }, { blobs: [digest] });
    expect(store.cache.get('key')).toMatchObject({ key: 'key', value: { layers: [digest], n: 1 }, blobs: [digest] });
    expect(store.cache.get('other')).toBeUndefined();
    expect([...store.cache.list()]).toHaveLength(1);
  });

  it('misses when a blob is gone or the record is torn', () => {
    const digest = put('layer');
    store.cache.put('key', 1, { blobs: [digest] });
    rmSync(store.blobPath(digest));
    expect(store.cache.get('key')).toBeUndefined();
    expect([...store.cache.list()]).toHaveLength(0);
    expect(() => store.cache.put('key', 1, { blobs: [digest] })).toThrowError(
      expect.objectContaining({ code: 'BLOB_MISSING' }),
    );
    store.cache.put('torn', 1, { blobs: [] });
    for (const record of store.cache.list()) writeFileSync(record.path, readFileSync(record.path).subarray(0, 20));
    expect(store.cache.get('torn')).toBeUndefined();
  });
});

describe('snapshots', () => {
  it('appear whole under their diffID', () => {
    const diffId = sha256('layer');
    expect(store.snapshots.get(diffId)).toBeUndefined();
    const writer = store.snapshots.begin();
    writeFileSync(join(writer.dir, 'file'), 'content');
    const path = writer.commit(diffId);
    expect(store.snapshots.get(diffId)).toBe(path);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('content');
    const second = store.snapshots.begin();
    expect(second.commit(diffId)).toBe(path);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('content');
    store.snapshots.begin().abort();
    expect(readdirSync(dirname(store.temporaryPath()))).toEqual([]);
  });

  it('of an earlier boot are unpacked again, unless they were synced', () => {
    const stale = sha256('stale');
    const synced = sha256('synced');
    for (const diffId of [stale, synced]) {
      const writer = store.snapshots.begin();
      writeFileSync(join(writer.dir, 'old'), '');
      writer.commit(diffId);
    }
    let calls = 0;
    expect(
      store.snapshots.persist(() => {
        calls++;
      }),
    ).toBe(2);
    expect(store.snapshots.persist(() => expect.unreachable())).toBe(0);
    expect(calls).toBe(1);
    writeFileSync(join(store.root, 'snapshots', synced.slice(7), 'meta'), '{"boot":"another","durable":true}');
    writeFileSync(join(store.root, 'snapshots', stale.slice(7), 'meta'), '{"boot":"another","durable":false}');
    expect(store.snapshots.get(synced)).toBeDefined();
    expect(store.snapshots.get(stale)).toBeUndefined();
    const writer = store.snapshots.begin();
    writeFileSync(join(writer.dir, 'new'), '');
    expect(readdirSync(writer.commit(stale))).toEqual(['new']);
  });
});

describe('the store', () => {
  it('opens again, and refuses another format', () => {
    const digest = put('hello');
    const again = ImageStore.open(store.root);
    expect(again.hasBlob(digest)).toBe(true);
    again.close();
    writeFileSync(join(store.root, 'version'), '2\n');
    expect(() => ImageStore.open(store.root)).toThrowError(expect.objectContaining({ code: 'STORE_VERSION' }));
  });

  it('keeps its directories to the owner', () => {
    expect(statSync(store.root).mode & 0o777).toBe(0o700);
    expect(statSync(join(store.root, 'blobs')).mode & 0o777).toBe(0o700);
  });

  it('removes its own leftovers when closed and others only when their process is gone', () => {
    const dead = `${currentOwner().pid}-1-${currentOwner().realm}-${'1'.repeat(12)}`;
    const alive = ownedName();
    for (const name of [dead, alive]) {
      mkdirSync(join(store.root, 'tmp', name, 'sub'), { recursive: true });
      writeFileSync(join(store.root, 'tmp', name, 'sub', 'file'), '');
      chmodSync(join(store.root, 'tmp', name, 'sub'), 0o000);
    }
    writeFileSync(store.temporaryPath(), '');
    expect(readdirSync(join(store.root, 'tmp'))).toHaveLength(2);
    store.close();
    expect(readdirSync(join(store.root, 'tmp'))).toEqual([alive]);
    expect(readdirSync(join(store.root, 'leases'))).toEqual([]);
  });

  it('has scratch files', () => {
    const file = store.file('stat-index', '/some/../path');
    expect(file.read()).toBeUndefined();
    file.replace('one');
    file.replace('two');
    expect(file.read()?.toString()).toBe('two');
    expect(file.read(2)).toBeUndefined();
    file.remove();
    expect(file.read()).toBeUndefined();
  });
});

describe('tags', () => {
  it('name, rename and forget', () => {
    const descriptor: Descriptor = {
      ...putExampleImage(store, 'one'),
      platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
      annotations: new Map([['__proto__', 'x']]),
    };
    store.tag('docker.io/library/a:1', descriptor);
    store.tag('docker.io/library/../../b:1', descriptor);
    expect(store.resolve('docker.io/library/a:1')).toEqual(descriptor);
    expect(store.listTags().map((tag) => tag.name)).toEqual(['docker.io/library/../../b:1', 'docker.io/library/a:1']);
    expect(store.untag('docker.io/library/a:1')).toBe(true);
    expect(store.untag('docker.io/library/a:1')).toBe(false);
    expect(store.resolve('docker.io/library/a:1')).toBeUndefined();
  });

  it('make all they name durable', () => {
    const descriptor = putExampleImage(store, 'one');
    const layer = store.blobPath(sha256('one'));
    expect(statSync(layer).mode & 0o222).not.toBe(0);
    store.tag('a', descriptor);
    expect(statSync(layer).mode & 0o777).toBe(0o444);
    expect(statSync(store.blobPath(descriptor.digest)).mode & 0o777).toBe(0o444);
  });

  it('are refused when content is missing or of another size', () => {
    const descriptor = putExampleImage(store, 'one');
    expect(() => store.tag('a', { ...descriptor, size: descriptor.size + 1 })).toThrowError(
      expect.objectContaining({ code: 'BLOB_MISMATCH' }),
    );
    rmSync(store.blobPath(sha256('one')));
    expect(() => store.tag('a', descriptor)).toThrowError(expect.objectContaining({ code: 'BLOB_MISSING' }));
    rmSync(store.blobPath(descriptor.digest));
    expect(() => store.tag('a', descriptor)).toThrowError(expect.objectContaining({ code: 'BLOB_MISSING' }));
    expect(store.listTags()).toEqual([]);
  });
});

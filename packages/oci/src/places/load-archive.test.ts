import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OCI_LAYER, OCI_LAYER_GZIP } from '../documents/media-types.ts';
import { digestOf } from '../names/digest.ts';
import { ImageStore } from '../store/store.ts';
import { importRootfs } from './import-rootfs.ts';
import { loadArchive } from './load-archive.ts';
import {
  blobName,
  classic,
  config,
  configName,
  id,
  indexJson,
  layer,
  manifest,
  manifestJson,
  modern,
  type TestEntries,
} from './testing/docker-archives.ts';
import { inPieces, type TestEntry, tarOf } from './testing/tar-of.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-load-'));
  store = ImageStore.open(root);
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

function load(entries: readonly (readonly [string, TestEntry])[]): ReturnType<typeof loadArchive> {
  return loadArchive(store, inPieces(tarOf(entries)));
}

function leftovers(): string[] {
  return readdirSync(join(root, 'tmp')).flatMap((name) => readdirSync(join(root, 'tmp', name)));
}

describe('docker save archives', () => {
  it('of old engines', async () => {
    const [image] = await load(classic);
    expect(image?.names).toEqual(['docker.io/library/a:1']);
    if (image === undefined) expect.unreachable();
    const loaded = store.image(image.descriptor);
    expect(loaded.config().raw.equals(config)).toBe(true);
    expect(loaded.layers()).toMatchObject([{ descriptor: { mediaType: OCI_LAYER, digest: digestOf(layer) } }]);
    expect(leftovers()).toEqual([]);
    expect(readdirSync(join(root, 'blobs', 'sha256'))).toHaveLength(3);
  });

  it('in any order, with names of their own, links, or a "./" before each name', async () => {
    const reversed = await load([...classic].reverse());
    const linked = await load([
      ['./x.json', config],
      ['./real.tar', layer],
      [`./${id}/layer.tar`, { symlink: '../real.tar' }],
      ['./again.tar', { hardlink: `${id}/layer.tar` }],
      ['./manifest.json', manifestJson(['again.tar'], null, 'x.json')],
    ]);
    expect(reversed[0]?.descriptor.digest).toBe(linked[0]?.descriptor.digest);
    expect(linked[0]?.names).toEqual([]);
  });

  it.each([
    ['gzip', gzipSync(layer), `${OCI_LAYER}+gzip`],
    ['zstd', zstdCompressSync(layer), `${OCI_LAYER}+zstd`],
  ])('with %s layers', async (_, compressed, mediaType) => {
    const [image] = await load([
      [configName, config],
      ['layer', compressed],
      ['manifest.json', manifestJson(['layer'])],
    ]);
    if (image === undefined) expect.unreachable();
    expect(store.image(image.descriptor).layers()[0]?.descriptor.mediaType).toBe(mediaType);
  });

  it('compressed as a whole, from a file', async () => {
    const path = join(root, 'x.tar.gz');
    writeFileSync(path, gzipSync(tarOf(classic)));
    expect(await loadArchive(store, path)).toHaveLength(1);
  });

  it('of which one image is wanted', async () => {
    const entries = classic.filter(([name]) => name !== 'manifest.json');
    const row = { Config: configName, Layers: [`${id}/layer.tar`] };
    const manifest = JSON.stringify([
      { ...row, RepoTags: ['a:1'] },
      { ...row, RepoTags: ['b:2', 'c:3'] },
    ]);
    const bytes = tarOf([...entries, ['manifest.json', manifest]]);
    expect(await loadArchive(store, inPieces(bytes))).toHaveLength(2);
    const [image, ...more] = await loadArchive(store, inPieces(bytes), { choice: { name: 'c:3' } });
    expect(image?.names).toContain('docker.io/library/c:3');
    expect(more).toEqual([]);
    await expect(loadArchive(store, inPieces(bytes), { choice: { name: 'x' } })).rejects.toThrowError(
      code('IMAGE_NOT_FOUND'),
    );
  });

  const without = (name: string): TestEntries => classic.filter(([path]) => path !== name);
  it.each<[string, TestEntries, string]>([
    ['no layer', without(`${id}/layer.tar`), 'ARCHIVE_INVALID'],
    ['no config', without(configName), 'ARCHIVE_INVALID'],
    ['no manifest.json', without('manifest.json'), 'ARCHIVE_INVALID'],
    ['a layer with other bytes', [...classic, [`${id}/layer.tar`, tarOf([['evil', '']])]], 'LAYER_INVALID'],
    [
      'a compressed layer with other bytes',
      [...classic, [`${id}/layer.tar`, gzipSync(tarOf([['evil', '']]))]],
      'LAYER_INVALID',
    ],
    [
      'a link that leads out',
      [...classic, [`${id}/layer.tar`, { symlink: '../../../../etc/passwd' }]],
      'ARCHIVE_INVALID',
    ],
    [
      'links in a circle',
      [...classic, [`${id}/layer.tar`, { symlink: 'b' }], [`${id}/b`, { symlink: 'layer.tar' }]],
      'ARCHIVE_INVALID',
    ],
    ['a manifest that is no list', [...classic, ['manifest.json', '{}']], 'ARCHIVE_INVALID'],
    ['a manifest that is no JSON', [...classic, ['manifest.json', '[']], 'ARCHIVE_INVALID'],
    ['rows of wrong types', [...classic, ['manifest.json', '[{"Config":1}]']], 'DOCUMENT_INVALID'],
    [
      'too many layers',
      [...classic, ['manifest.json', manifestJson([`${id}/layer.tar`, `${id}/layer.tar`])]],
      'ARCHIVE_INVALID',
    ],
    [
      'names that are none',
      [...classic, ['manifest.json', manifestJson([`${id}/layer.tar`], ['../x'])]],
      'REFERENCE_INVALID',
    ],
    ['nothing of an image', [['etc/passwd', 'root']], 'ARCHIVE_INVALID'],
  ])('are refused with %s', async (_, entries, expected) => {
    await expect(load(entries)).rejects.toThrowError(code(expected));
    expect(leftovers()).toEqual([]);
  });

  it('cut off are refused, leaving nothing', async () => {
    const bytes = tarOf(classic);
    await expect(loadArchive(store, inPieces(bytes.subarray(0, 2000)))).rejects.toThrowError(code('TAR_INVALID'));
    await expect(loadArchive(store, inPieces(gzipSync(bytes).subarray(0, 300)))).rejects.toThrowError(
      code('COMPRESSION_INVALID'),
    );
    expect(leftovers()).toEqual([]);
    expect(readdirSync(join(root, 'blobs', 'sha256'))).toEqual([]);
  });

  it('can be called off', async () => {
    const signal = AbortSignal.abort();
    await expect(loadArchive(store, inPieces(tarOf(classic)), { signal })).rejects.toThrowError(
      expect.objectContaining({ name: 'AbortError' }),
    );
    expect(leftovers()).toEqual([]);
  });
});

describe('docker save archives of new engines', () => {
  it('keep their manifest and take names from both lists', async () => {
    const named = await load([
      ...modern,
      ['index.json', indexJson({ 'io.containerd.image.name': 'docker.io/library/b:2' })],
    ]);
    expect(named).toMatchObject([{ descriptor: { digest: digestOf(manifest) }, names: ['docker.io/library/b:2'] }]);
    const bare = await load([...modern, ['index.json', indexJson({ 'org.opencontainers.image.ref.name': '1' })]]);
    expect(bare).toMatchObject([
      { descriptor: { digest: digestOf(manifest) }, names: ['docker.io/library/a:1'], refName: '1' },
    ]);
    expect(leftovers()).toEqual([]);
    expect(readdirSync(join(root, 'blobs', 'sha256'))).toHaveLength(3);
  });

  it('are read by manifest.json when the index leads to nothing', async () => {
    const entries = modern.filter(([path]) => path !== blobName(manifest));
    const [image] = await load([...entries, ['index.json', indexJson({})]]);
    expect(image?.names).toEqual(['docker.io/library/a:1']);
  });

  it('are refused when blobs are not what they are called, or have another size', async () => {
    await expect(load([...modern, [blobName(layer), 'x'], ['index.json', indexJson({})]])).rejects.toThrowError(
      code('BLOB_MISMATCH'),
    );
    await expect(load([...modern, ['index.json', indexJson({}, manifest.length + 1)]])).rejects.toThrowError(
      code('BLOB_MISMATCH'),
    );
    expect(leftovers()).toEqual([]);
  });
});

describe('importRootfs', () => {
  const rootfs = tarOf([
    ['bin/', ''],
    ['bin/sh', 'x'],
  ]);

  it.each([
    ['plain', rootfs],
    ['gzip', gzipSync(rootfs)],
    ['zstd', zstdCompressSync(rootfs)],
  ])('%s', async (_, bytes) => {
    const created = new Date('2026-01-02T03:04:05.120Z');
    const descriptor = await importRootfs(store, inPieces(bytes, 3), {
      created,
      platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
      config: { Cmd: ['/bin/sh'] },
    });
    store.tag('imported', descriptor);
    const image = store.image(descriptor);
    expect(image.config()).toMatchObject({
      created: '2026-01-02T03:04:05.12Z',
      architecture: 'arm',
      variant: 'v7',
      config: { Cmd: ['/bin/sh'] },
      rootfs: { diffIds: [digestOf(rootfs)] },
      history: [{ created: '2026-01-02T03:04:05.12Z', comment: 'Imported from -' }],
    });
    expect(image.layers()[0]?.descriptor).toMatchObject({ mediaType: OCI_LAYER, digest: digestOf(rootfs) });
    expect(OCI_LAYER_GZIP).not.toBe(OCI_LAYER);
  });

  it.each<[string, Uint8Array, string]>([
    ['no archive', Buffer.from('hello'.repeat(200)), 'TAR_INVALID'],
    ['nothing', Buffer.alloc(0), 'ARCHIVE_INVALID'],
    ['an empty archive', Buffer.alloc(1024), 'ARCHIVE_INVALID'],
    ['a cut archive', rootfs.subarray(0, 1100), 'TAR_INVALID'],
    ['a cut stream', gzipSync(rootfs).subarray(0, 50), 'COMPRESSION_INVALID'],
  ])('refuses %s', async (_, bytes, expected) => {
    await expect(importRootfs(store, inPieces(bytes))).rejects.toThrowError(code(expected));
    expect(leftovers()).toEqual([]);
  });
});

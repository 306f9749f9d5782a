import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { descriptorOf } from '../documents/descriptor.ts';
import { parseManifest } from '../documents/manifest.ts';
import { OCI_LAYER } from '../documents/media-types.ts';
import { digestOf } from '../names/digest.ts';
import { ImageStore } from '../store/store.ts';
import type { ImageArchive } from './image-archive.ts';
import { loadArchive } from './load-archive.ts';
import { openArchive } from './open-archive.ts';
import type { PlacedImage } from './place.ts';
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
import { tarOf } from './testing/tar-of.ts';

let root: string;
let path: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-open-archive-'));
  path = join(root, 'app.tar');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

/** Open files of this process, on Linux. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

async function opened(entries: TestEntries): Promise<ImageArchive> {
  writeFileSync(path, tarOf(entries));
  return (await openArchive(path)) ?? expect.unreachable('it can be read in place');
}

/** The same archive by way of the store. */
async function loaded(): Promise<readonly PlacedImage[]> {
  using store = ImageStore.open(join(root, 'store'));
  return await loadArchive(store, path);
}

async function bytesOf(archive: ImageArchive, bytes: Uint8Array, mediaType = OCI_LAYER): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of archive.readBlob(descriptorOf(bytes, mediaType))) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

describe('docker-archives in place', () => {
  const symlinked: TestEntries = [
    ['./x.json', config],
    ['./real.tar', layer],
    [`./${id}/layer.tar`, { symlink: '../real.tar' }],
    ['./again.tar', { hardlink: `${id}/layer.tar` }],
    ['./manifest.json', manifestJson(['again.tar'], ['b:2', 'b:3'], 'x.json')],
  ];
  const twice = JSON.stringify([
    { Config: configName, RepoTags: ['a:1'], Layers: [`${id}/layer.tar`] },
    { Config: configName, RepoTags: ['b:1'], Layers: [`${id}/layer.tar`] },
  ]);

  it.each<[string, TestEntries]>([
    ['old engines', classic],
    ['old engines, backwards', [...classic].reverse()],
    ['skopeo, with links', symlinked],
    ['two images', [...classic, ['manifest.json', twice]]],
    ['new engines', [...modern, ['index.json', indexJson({})]]],
    ['new engines, names in the index', [...modern, ['index.json', indexJson({ 'io.containerd.image.name': 'c:3' })]]],
    ['the transition', [...modern.filter(([name]) => name !== blobName(manifest)), ['index.json', indexJson({})]]],
  ])('have the names and digests that they have through the store: %s', async (_, entries) => {
    const archive = await opened(entries);
    const expected = await loaded();
    expect(archive.images.map(({ names, descriptor }) => [names, descriptor.digest])).toEqual(
      expected.map(({ names, descriptor }) => [names, descriptor.digest]),
    );
    for (const { descriptor, names } of archive.images) {
      expect(await archive.has(descriptor)).toBe(true);
      const document = parseManifest(await archive.readDocument(descriptor), { descriptor });
      expect(document.layers).toMatchObject([{ digest: digestOf(layer), mediaType: OCI_LAYER }]);
      expect(await archive.readDocument(document.config)).toEqual(config);
      if (names[0] !== undefined) expect((await archive.resolve?.(names[0]))?.digest).toBe(descriptor.digest);
    }
    expect(await bytesOf(archive, layer)).toEqual(layer);
    archive.close();
  });

  it('keep the digest of new engines, which is that of the registry', async () => {
    const archive = await opened([...modern, ['index.json', indexJson({})]]);
    expect(archive.images).toMatchObject([
      { descriptor: { digest: digestOf(manifest) }, names: ['docker.io/library/a:1'] },
    ]);
    archive.close();
  });

  it.each<[string, TestEntries]>([
    ['a compressed layer', [...classic, [`${id}/layer.tar`, gzipSync(layer)]]],
    ['an index.json alone', [...modern.filter(([name]) => name !== 'oci-layout'), ['index.json', indexJson({})]]],
    ['nothing of an image', [['etc/passwd', 'root']]],
  ])('are for the store with %s', async (_, entries) => {
    writeFileSync(path, tarOf(entries));
    const before = openFiles();
    expect(await openArchive(path)).toBeUndefined();
    expect(openFiles()).toBe(before);
  });

  it('are for the store when they are compressed as a whole', async () => {
    writeFileSync(path, gzipSync(tarOf(classic)));
    expect(await openArchive(path)).toBeUndefined();
  });

  it.each<[string, TestEntries, string]>([
    ['no layer', classic.filter(([name]) => name !== `${id}/layer.tar`), 'ARCHIVE_INVALID'],
    ['no config', classic.filter(([name]) => name !== configName), 'ARCHIVE_INVALID'],
    [
      'a link that leads out',
      [...classic, [`${id}/layer.tar`, { symlink: '../../../../etc/passwd' }]],
      'ARCHIVE_INVALID',
    ],
    ['links in a circle', [...classic, [`${id}/layer.tar`, { symlink: 'layer.tar' }]], 'ARCHIVE_INVALID'],
    ['too many layers', [...classic, ['manifest.json', manifestJson([configName, configName])]], 'ARCHIVE_INVALID'],
    ['a manifest that is no list', [...classic, ['manifest.json', '{}']], 'ARCHIVE_INVALID'],
  ])('are refused with %s, and closed', async (_, entries, expected) => {
    writeFileSync(path, tarOf(entries));
    const before = openFiles();
    await expect(openArchive(path)).rejects.toThrowError(code(expected));
    expect(openFiles()).toBe(before);
  });

  it('do not give out layers that are not those of the config', async () => {
    const other = tarOf([['file', 'CONTENT']]);
    const archive = await opened([...classic, [`${id}/layer.tar`, other]]);
    await expect(bytesOf(archive, layer)).rejects.toThrowError(code('BLOB_MISMATCH'));
    await expect(bytesOf(archive, Buffer.from('other'))).rejects.toThrowError(code('BLOB_MISSING'));
    archive.close();
  });
});

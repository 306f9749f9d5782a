import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyImage } from '../copy/copy-image.ts';
import type { CopyOptions } from '../copy/copy-options.ts';
import { compressLayers } from '../copy/encode-layers.ts';
import { linux, putArtifact } from '../copy/testing/memory-images.ts';
import { MemoryRepository } from '../copy/testing/memory-place.ts';
import { type Descriptor, descriptorOf } from '../documents/descriptor.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../documents/media-types.ts';
import { serializeManifest } from '../documents/serialize.ts';
import { type Digest, digestOf } from '../names/digest.ts';
import { hostPlatform } from '../names/platform.ts';
import { ImageStore } from '../store/store.ts';
import { fileOutput } from './archive-output.ts';
import { dockerArchiveDestination } from './docker-archive-destination.ts';
import { saveDockerArchive } from './docker-archive-writer.ts';
import { openArchive } from './open-archive.ts';
import { storeSource } from './store-place.ts';
import { tarOf } from './testing/tar-of.ts';
import { putImage, putIndex } from './testing/test-images.ts';

const name = 'docker.io/library/app:1';
let root: string;
let store: ImageStore;
let repository: MemoryRepository;
let temporary: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-docker-archive-'));
  store = ImageStore.open(join(root, 'store'));
  repository = new MemoryRepository('source');
  temporary = 0;
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

function at(file: string): string {
  return join(root, file);
}

/** Copies to `app.tar`; nothing may stay beside it. */
async function archive(image: Descriptor, options: CopyOptions = {}, source = repository): Promise<Digest> {
  const destination = dockerArchiveDestination(fileOutput(at('app.tar')), {
    temporaryPath: () => at(`layer-${temporary++}`),
  });
  try {
    const { descriptor } = await copyImage(source, { descriptor: image, names: [name] }, destination, options);
    await destination.finish();
    return descriptor.digest;
  } catch (error) {
    await destination.abort();
    throw error;
  } finally {
    expect(readdirSync(root).filter((file) => file !== 'app.tar' && file !== 'saved.tar')).toEqual(['store']);
  }
}

/** The same image in the store and in the repository, where its layers are compressed if that is wanted. */
async function published(texts: readonly string[], kind?: 'gzip' | 'zstd'): Promise<Descriptor> {
  const image = putImage(store, texts, hostPlatform().architecture);
  const options = kind === undefined ? {} : { encodeLayer: compressLayers(store, { compression: kind }) };
  const copied = await copyImage(storeSource(store), { descriptor: image, names: [] }, repository, options);
  await saveDockerArchive(store, [{ descriptor: image, names: [name] }], fileOutput(at('saved.tar')));
  return copied.descriptor;
}

/** An image of one layer that is called what it is not, or is not what the config says. */
function put(layer: Uint8Array, mediaType: string, diffId: Digest): Descriptor {
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } }),
  );
  repository.put(config);
  const layers = [{ mediaType, ...repository.put(layer) }];
  return repository.putManifest(serializeManifest({ config: descriptorOf(config, OCI_CONFIG), layers }), OCI_MANIFEST);
}

describe('a docker-archive that is written while it is copied', () => {
  it.each([undefined, 'gzip', 'zstd'] as const)(
    'is the one that is saved from the store, byte for byte: layers %s',
    async (how) => {
      // A layer that comes twice, and one with more than a piece of content.
      const image = await published(['one', 'two'.repeat(500_000), 'one'], how);
      expect(await archive(image)).toBe(image.digest);
      expect(readFileSync(at('app.tar')).equals(readFileSync(at('saved.tar')))).toBe(true);
      // Plain layers need no other room; each compressed one is expanded once.
      expect(temporary).toBe(how === undefined ? 0 : 2);
    },
  );

  it('takes the image of one platform out of an index, without looking at the others', async () => {
    const images = ['amd64', 'arm64'].map((architecture) => ({
      ...putImage(store, [`for ${architecture}`], architecture),
      platform: linux(architecture),
    }));
    const index = putIndex(store, images);
    await copyImage(storeSource(store), { descriptor: index, names: [] }, repository);
    repository.requests.length = 0;
    for (const [position, architecture] of ['amd64', 'arm64'].entries()) {
      expect(await archive(index, { platforms: [linux(architecture)] })).toBe(images[position]?.digest);
      const opened = await openArchive(at('app.tar'));
      expect(opened?.images).toMatchObject([{ names: [name], descriptor: { digest: images[position]?.digest } }]);
      opened?.close();
    }
    expect(repository.requests.filter((request) => request === 'GET blob')).toHaveLength(4);
    await expect(archive(index, { platforms: [linux('amd64'), linux('arm64')] })).rejects.toThrowError(
      code('POLICY_INVALID'),
    );
    await expect(archive(index, { platforms: [linux('mips')] })).rejects.toThrowError(code('PLATFORM_MISSING'));
  });

  const layer = tarOf([['file', 'content']]);

  it.each([
    ['plain, called gzip', layer, OCI_LAYER_GZIP],
    ['zstd, called plain', zstdCompressSync(layer), OCI_LAYER],
    ['zstd, called gzip', zstdCompressSync(layer), OCI_LAYER_GZIP],
  ])('judges a layer by its bytes: %s', async (_, bytes, mediaType) => {
    await archive(put(bytes, mediaType, digestOf(layer)));
    const opened = await openArchive(at('app.tar'));
    const [image] = opened?.images ?? [];
    if (opened === undefined || image === undefined) expect.unreachable();
    expect((await opened.readDocument(image.descriptor)).toString()).toContain(digestOf(layer));
    opened.close();
  });

  it.each<[string, Uint8Array, string, string]>([
    ['does not expand to its diffID', zstdCompressSync(Buffer.from('other')), OCI_LAYER_ZSTD, 'LAYER_INVALID'],
    ['is not the one of its diffID', Buffer.from('other'), OCI_LAYER, 'LAYER_INVALID'],
    ['is cut off', zstdCompressSync(layer).subarray(0, 30), OCI_LAYER_ZSTD, 'COMPRESSION_INVALID'],
    ['is compressed with xz', Buffer.from('\xfd7zXZ\0rest of it', 'latin1'), OCI_LAYER, 'LAYER_INVALID'],
  ])('is not written when a layer %s', async (_, bytes, mediaType, expected) => {
    await expect(archive(put(bytes, mediaType, digestOf(layer)))).rejects.toThrowError(code(expected));
    expect(readdirSync(root)).toEqual(['store']);
  });

  it('is not written of what is no image', async () => {
    await expect(archive(putArtifact(repository, 'text'))).rejects.toThrowError(code('NOT_AN_IMAGE'));
    const image = put(layer, OCI_LAYER, digestOf(layer));
    putArtifact(repository, 'signature', image);
    await expect(archive(image, { referrers: true })).rejects.toThrowError(code('NOT_AN_IMAGE'));
    expect(readdirSync(root)).toEqual(['store']);
  });
});

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../documents/descriptor.ts';
import { parseIndex, parseManifest } from '../documents/manifest.ts';
import {
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../documents/media-types.ts';
import { digestOf } from '../names/digest.ts';
import type { PlacedImage } from '../places/place.ts';
import type { BlobContent, BlobReceipt } from '../registry/upload/upload.ts';
import type { CopyEvent } from './copy-events.ts';
import { type CopyResult, copyImage } from './copy-image.ts';
import type { CopyOptions } from './copy-options.ts';
import { putArtifact, putImage, putIndex, putMultiPlatform } from './testing/memory-images.ts';
import { MemoryRepository } from './testing/memory-place.ts';

const name = 'registry.test/target:1';
let source: MemoryRepository;
let target: MemoryRepository;

beforeEach(() => {
  source = new MemoryRepository('source');
  target = new MemoryRepository('target');
});

function copy(
  descriptor: Descriptor,
  options: CopyOptions = {},
  names: readonly string[] = [name],
): Promise<CopyResult> {
  return copyImage(source, { descriptor, names } satisfies PlacedImage, target, options);
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

describe('a whole copy', () => {
  it('brings an index with everything in it, byte for byte', async () => {
    const { index } = putMultiPlatform(source);
    const result = await copy(index);
    expect(result).toMatchObject({ upToDate: false, ledger: { policy: 'whole', digest: index.digest } });
    expect(target.manifests).toEqual(source.manifests);
    expect(target.blobs).toEqual(source.blobs);
    expect(target.tags).toEqual(new Map([['1', index.digest]]));
  });

  it('brings artifacts and what lies in nested indexes', async () => {
    const inner = putIndex(source, [putImage(source, ['inner'])]);
    const artifact = putArtifact(source, 'chart');
    const index = putIndex(source, [inner, artifact]);
    await copy(index);
    expect(target.manifests).toEqual(source.manifests);
    expect(target.blobs).toEqual(source.blobs);
  });

  it('R9: writes content before manifests, manifests before indexes, and the name last', async () => {
    const { index } = putMultiPlatform(source);
    await copy(index);
    expect(target.requests.at(-1)).toBe('PUT tag');
    expect(target.requests.filter((request) => request === 'PUT tag')).toHaveLength(1);
    expect(target.requests.filter((request) => request === 'PUT manifest')).toHaveLength(6);
  });

  it('refuses an index of which the source has only a part, unless the destination takes that', async () => {
    const { index, arm64 } = putMultiPlatform(source);
    source.manifests.delete(arm64.digest);
    await expect(copy(index)).rejects.toThrowError(code('BLOB_MISSING'));
    expect(target.tags.size).toBe(0);
    Object.assign(target, { takesPartialIndexes: true });
    const { ledger } = await copy(index);
    expect(ledger.entries.filter(({ state }) => state === 'absent').map(({ digest }) => digest)).toEqual([
      arm64.digest,
    ]);
  });

  it('refuses indexes nested too deep', async () => {
    let top = putImage(source, ['x']);
    for (let depth = 0; depth < 6; depth++) top = putIndex(source, [top]);
    await expect(copy(top)).rejects.toThrowError(code('IMAGE_INVALID'));
  });
});

describe('a tag that moves', () => {
  it('R10: does not change what is copied; the ledger names the digest', async () => {
    const image = putImage(source, ['before']);
    source.tags.set('1', image.digest);
    const descriptor = (await source.resolve('1')) ?? image;
    source.tags.set('1', putImage(source, ['after']).digest);
    const { ledger } = await copy(descriptor);
    expect(ledger).toMatchObject({ sourceDigest: image.digest, digest: image.digest });
    expect(target.tags.get('1')).toBe(image.digest);
  });
});

describe('requests', () => {
  it('are two when the name stands for the same digest', async () => {
    const { index } = putMultiPlatform(source);
    await copy(index);
    source.requests.length = 0;
    target.requests.length = 0;
    const descriptor = await source.resolve('1');
    if (descriptor === undefined) expect.unreachable();
    const { upToDate, ledger } = await copy(descriptor);
    expect([...source.requests, ...target.requests]).toEqual(['HEAD tag', 'HEAD tag']);
    expect(upToDate).toBe(true);
    expect(ledger.totals).toMatchObject({ parts: 1, exists: 1, sent: 0 });
  });

  it('are at most three per image manifest that is there under another name', async () => {
    const { index, arm64 } = putMultiPlatform(source);
    await copy(index);
    const count = async (image: Descriptor, options: CopyOptions = {}): Promise<number> => {
      source.requests.length = 0;
      target.requests.length = 0;
      await copy(image, options, ['registry.test/target:other']);
      return source.requests.length + target.requests.length;
    };
    // Six manifests and the index; and one manifest alone, with the question for its name.
    expect(await count(index)).toBeLessThanOrEqual(4);
    target.tags.clear();
    expect(await count(index, { thorough: true })).toBeLessThanOrEqual(6 + 4);
    expect(await count(arm64)).toBeLessThanOrEqual(4);
  });

  it('ask for nothing twice: shared layers are looked for and read once', async () => {
    const { index } = putMultiPlatform(source);
    await copy(index);
    // shared, three own layers, three statements, six configs.
    expect(source.requests.filter((request) => request === 'GET blob')).toHaveLength(13);
    expect(target.requests.filter((request) => request === 'HEAD blob')).toHaveLength(13);
  });

  it('are as many at a time as the destination takes, over all images', async () => {
    source.pieceSize = 10;
    const images = ['a', 'b', 'c', 'd'].map((letter) => putImage(source, [letter.repeat(100), letter.repeat(200)]));
    await copy(putIndex(source, images));
    expect(target.mostWriting).toBe(3);
    const one = new MemoryRepository('one', 1);
    await copyImage(source, { descriptor: putIndex(source, images), names: [] }, one);
    expect(one.mostWriting).toBe(1);
  });
});

describe('mounts', () => {
  it('take blobs over from the source in the same registry', async () => {
    target.neighbours.set('registry.test/source', source);
    const image = putImage(source, ['one', 'two']);
    const { ledger } = await copy(image);
    expect(ledger.totals).toMatchObject({ mounted: 3, copied: 1 });
    expect(source.requests).toEqual(['GET manifest']);
    expect(target.requests.filter((request) => request === 'PUT blob')).toEqual([]);
  });

  it('fall back to copying, and are not tried in another registry', async () => {
    await copy(putImage(source, ['one']));
    expect(target.requests).toContain('POST mount');
    expect(target.requests).toContain('PUT blob');
    const elsewhere = new MemoryRepository('target');
    Object.assign(elsewhere, { repository: { registry: 'elsewhere.test', path: 'target' } });
    await copyImage(source, { descriptor: putImage(source, ['one']), names: [] }, elsewhere);
    expect(elsewhere.requests).not.toContain('POST mount');
  });

  it('R11: are only tried from repositories that the user named', async () => {
    const base = new MemoryRepository('base');
    base.put(Buffer.from('base layer'));
    target.neighbours.set('registry.test/base', base);
    source.neighbours.set('registry.test/base', base);
    const image = putImage(source, ['base layer', 'own layer']);
    expect((await copy(image)).ledger.totals.mounted).toBe(0);
    const again = new MemoryRepository('again');
    again.neighbours.set('registry.test/base', base);
    const mountFrom = [
      { registry: 'registry.test', path: 'base' },
      { registry: 'other.test', path: 'base' },
    ];
    const { ledger } = await copyImage(source, { descriptor: image, names: [] }, again, { mountFrom });
    expect(ledger.totals.mounted).toBe(1);
    // The source's own repository and the one that was named; for each blob that is not there.
    expect(again.requests.filter((request) => request === 'POST mount')).toHaveLength(2 * 3);
  });
});

describe('referrers', () => {
  it('come along with what speaks of them, and with the tags of cosign', async () => {
    const { index, amd64 } = putMultiPlatform(source);
    const sbom = putArtifact(source, 'sbom', amd64);
    const signature = putArtifact(source, 'signature of the sbom', sbom);
    const cosign = putArtifact(source, 'cosign', undefined, `sha256-${index.digest.slice(7)}.sig`);
    putArtifact(source, 'of something else', putImage(source, ['else']));
    const { ledger } = await copy(index, { referrers: true });
    expect([...ledger.referrers].sort()).toEqual([sbom.digest, signature.digest, cosign.digest].sort());
    expect(ledger.referrersLeft).toEqual([]);
    expect(target.manifests.get(signature.digest)).toEqual(source.manifests.get(signature.digest));
    expect(target.tags).toEqual(
      new Map([
        [`sha256-${index.digest.slice(7)}.sig`, cosign.digest],
        ['1', index.digest],
      ]),
    );
    // The name comes after what vouches for it.
    expect(target.requests.at(-1)).toBe('PUT tag');
    const again = await copy(index, { referrers: true });
    expect(again.ledger.totals.sent).toBeLessThan(ledger.totals.sent);
    expect(target.requests.filter((request) => request === 'PUT blob')).toHaveLength(
      ledger.entries.filter(({ role, state }) => (role === 'config' || role === 'layer') && state === 'copied').length,
    );
  });

  it('stay behind when they speak of what was changed', async () => {
    const { index, amd64 } = putMultiPlatform(source);
    const ofIndex = putArtifact(source, 'of the index', index);
    const ofImage = putArtifact(source, 'of the image', amd64);
    const { ledger } = await copy(index, {
      referrers: true,
      policy: 'rewrite',
      platforms: [{ os: 'linux', architecture: 'amd64' }],
    });
    expect(ledger).toMatchObject({ referrers: [ofImage.digest], referrersLeft: [ofIndex.digest] });
    expect(target.manifests.has(ofIndex.digest)).toBe(false);
  });
});

describe('formats', () => {
  it('are converted only when asked, with bytes of layers and configs as they are', async () => {
    const { index } = putMultiPlatform(source);
    const result = await copy(index, { format: 'docker' });
    expect(result.descriptor.mediaType).toBe(DOCKER_MANIFEST_LIST);
    const list = parseIndex(target.manifests.get(result.descriptor.digest)?.bytes ?? Buffer.alloc(0));
    const [first] = list.manifests;
    expect(first).toMatchObject({ mediaType: DOCKER_MANIFEST, platform: { architecture: 'amd64' } });
    expect(list.manifests[3]?.annotations?.get('vnd.docker.reference.digest')).toBe(first?.digest);
    expect([...target.blobs.keys()].sort()).toEqual([...source.blobs.keys()].sort());
    const back = new MemoryRepository('back');
    const restored = await copyImage(target, { descriptor: result.descriptor, names: [] }, back, { format: 'oci' });
    expect(restored.descriptor).toEqual({ ...index, digest: restored.descriptor.digest });
    const image = parseManifest(
      back.manifests.get(
        parseIndex(back.manifests.get(restored.descriptor.digest)?.bytes ?? Buffer.alloc(0)).manifests[0]?.digest ??
          index.digest,
      )?.bytes ?? Buffer.alloc(0),
    );
    expect(image.mediaType).toBe(OCI_MANIFEST);
  });

  it('leave artifacts as they are', async () => {
    const artifact = putArtifact(source, 'chart');
    expect((await copy(artifact, { format: 'docker' })).descriptor.digest).toBe(artifact.digest);
  });

  it('go with compression', async () => {
    const image = putImage(source, ['one']);
    const { descriptor } = await copy(image, { format: 'docker', encodeLayer: backwards });
    const { layers, mediaType } = parseManifest(target.manifests.get(descriptor.digest)?.bytes ?? Buffer.alloc(0));
    expect([mediaType, layers[0]?.mediaType]).toEqual([DOCKER_MANIFEST, DOCKER_LAYER_GZIP]);
    expect(target.blobs.get(digestOf('eno'))?.toString()).toBe('eno');
  });
});

/** Not a compression, but changes bytes. */
const backwards: NonNullable<CopyOptions['encodeLayer']> = (layer) => ({
  mediaType: OCI_LAYER_GZIP,
  key: layer.digest,
  recall: () => undefined,
  remember: () => undefined,
  content: (read) =>
    async function* (offset, signal) {
      const pieces: Buffer[] = [];
      for await (const piece of read(0, signal)) pieces.push(Buffer.from(piece));
      yield Buffer.concat(pieces).reverse().subarray(offset);
    },
  spool: () => Promise.reject(new Error('streamed instead')),
});

describe('events', () => {
  it('tell of every part: found, started, bytes, finished', async () => {
    const events: CopyEvent[] = [];
    const image = putImage(source, ['x'.repeat(2500)]);
    await copy(image, { onEvent: (event) => events.push(event) });
    const layer = digestOf('x'.repeat(2500));
    const kinds = events
      .filter(({ descriptor }) => descriptor.digest === layer)
      .map((event) => (event.kind === 'bytes' ? event.bytes : event.kind));
    expect(kinds).toEqual(['found', 'started', 1000, 1000, 500, 'finished']);
    expect(events.at(-1)).toMatchObject({ kind: 'finished', entry: { role: 'manifest', digest: image.digest } });
  });
});

describe('failures', () => {
  it('R9: end everything: nothing is written afterwards, no index and no name appear', async () => {
    source.pieceSize = 1;
    const images = ['a', 'b', 'c', 'd', 'e'].map((letter) => putImage(source, [letter.repeat(50)]));
    const index = putIndex(source, images);
    const broken = digestOf('a'.repeat(50));
    source.blobs.set(broken, Buffer.from('b'.repeat(50)));
    await expect(copy(index)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    expect(target.writing).toBe(0);
    const { length } = target.requests;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(target.requests).toHaveLength(length);
    expect(target.tags.size).toBe(0);
    expect(target.manifests.has(index.digest)).toBe(false);
    expect(target.blobs.has(broken)).toBe(false);
  });

  it('begin nothing new, and end writes that wait for another try', async () => {
    const image = putImage(source, ['broken', 'waiting', 'later']);
    const [broken, waiting] = ['broken', 'waiting'].map((text) => digestOf(text));
    const begun: string[] = [];
    class Destination extends MemoryRepository {
      override async writeBlob(
        descriptor: Descriptor,
        content: BlobContent,
        onBytes?: (count: number) => void,
        signal?: AbortSignal,
      ): Promise<BlobReceipt> {
        begun.push(descriptor.digest);
        if (descriptor.digest === waiting) {
          // As an upload that waits for half a minute before it tries again.
          await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('ended'))));
        }
        if (descriptor.digest === broken) {
          await expect.poll(() => begun).toContain(waiting);
          throw new Error('no more');
        }
        return await super.writeBlob(descriptor, content, onBytes);
      }
    }
    target = new Destination('target', 2);
    await expect(copy(image)).rejects.toThrowError('no more');
    expect(begun).not.toContain(digestOf('later'));
  });

  it('throw the reason of the signal', async () => {
    const stop = new AbortController();
    const image = putImage(source, ['x'.repeat(100_000)]);
    const copying = copy(image, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'bytes') stop.abort(new Error('enough'));
      },
    });
    await expect(copying).rejects.toThrowError('enough');
    expect(target.tags.size).toBe(0);
  });
});

describe('any tree of images', () => {
  const image = fc.record({ layers: fc.array(fc.string({ maxLength: 50 }), { maxLength: 4 }) });
  const tree: fc.Arbitrary<TestTree> = fc.letrec<{ tree: TestTree; image: TestTree; index: TestTree }>((tie) => ({
    tree: fc.oneof({ depthSize: 'small', maxDepth: 2 }, tie('image'), tie('index')),
    image,
    index: fc.record({ entries: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
  })).tree;

  it('arrives with the same bytes, and then costs two requests', async () => {
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 60 }),
        async (shape, slots, piece) => {
          const from = new MemoryRepository('source');
          const to = new MemoryRepository('target', slots);
          from.pieceSize = piece;
          const descriptor = plant(from, shape);
          from.tags.set('1', descriptor.digest);
          await copyImage(from, { descriptor, names: [name] }, to);
          expect(to.manifests).toEqual(from.manifests);
          expect(to.blobs).toEqual(from.blobs);
          expect(to.tags).toEqual(from.tags);
          to.requests.length = 0;
          expect((await copyImage(from, { descriptor, names: [name] }, to)).upToDate).toBe(true);
          expect(to.requests).toEqual(['HEAD tag']);
        },
      ),
      { numRuns: 60 },
    );
  });
});

type TestTree = { readonly layers: readonly string[] } | { readonly entries: readonly TestTree[] };

function plant(place: MemoryRepository, shape: TestTree): Descriptor {
  return 'layers' in shape
    ? putImage(place, shape.layers)
    : putIndex(
        place,
        shape.entries.map((entry) => plant(place, entry)),
      );
}

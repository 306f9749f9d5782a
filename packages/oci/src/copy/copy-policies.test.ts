import { beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../documents/descriptor.ts';
import { parseIndex } from '../documents/manifest.ts';
import { type CopyResult, copyImage } from './copy-image.ts';
import type { CopyOptions } from './copy-options.ts';
import { linux, putImage, putIndex, putMultiPlatform } from './testing/memory-images.ts';
import { MemoryRepository } from './testing/memory-place.ts';

let source: MemoryRepository;
let target: MemoryRepository;

beforeEach(() => {
  source = new MemoryRepository('source');
  target = new MemoryRepository('target');
});

function copy(descriptor: Descriptor, options: CopyOptions): Promise<CopyResult> {
  return copyImage(source, { descriptor, names: ['registry.test/target:1'] }, target, options);
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

describe('platform policies', () => {
  it('sparse keeps the index, and brings the wanted images and their attestations', async () => {
    Object.assign(target, { takesPartialIndexes: true });
    const { index, arm64, about } = putMultiPlatform(source);
    const result = await copy(index, { policy: 'sparse', platforms: [linux('arm64')] });
    expect(result.descriptor.digest).toBe(index.digest);
    expect([...target.manifests.keys()].sort()).toEqual([index.digest, arm64.digest, about[1]?.digest].sort());
    expect(result.ledger).toMatchObject({ policy: 'sparse', platforms: ['linux/arm64'] });
  });

  it('sparse brings further platforms later, and then has nothing to do', async () => {
    Object.assign(target, { takesPartialIndexes: true });
    const { index, amd64 } = putMultiPlatform(source);
    await copy(index, { policy: 'sparse', platforms: [linux('arm64')] });
    const more = await copy(index, { policy: 'sparse', platforms: [linux('amd64')] });
    expect(more.upToDate).toBe(false);
    expect(target.manifests.has(amd64.digest)).toBe(true);
    const again = await copy(index, { policy: 'sparse', platforms: [linux('amd64'), linux('arm64')] });
    expect(again.upToDate).toBe(true);
  });

  it('rewrite makes an index of the wanted images and their attestations', async () => {
    const { index, amd64, arm64, about } = putMultiPlatform(source);
    const result = await copy(index, { policy: 'rewrite', platforms: [linux('amd64'), linux('arm64')] });
    expect(result.descriptor.digest).not.toBe(index.digest);
    const bytes = target.manifests.get(result.descriptor.digest)?.bytes ?? Buffer.alloc(0);
    const written = parseIndex(bytes, { descriptor: result.descriptor });
    expect(written.manifests).toEqual([amd64, arm64, about[0], about[1]]);
    expect(target.tags.get('1')).toBe(result.descriptor.digest);
    const again = await copy(index, { policy: 'rewrite', platforms: [linux('amd64'), linux('arm64')] });
    expect(again).toMatchObject({ descriptor: result.descriptor, upToDate: true });
  });

  it('rewrite keeps an index of which everything is wanted as it is', async () => {
    const amd64 = putImage(source, ['x']);
    const index = putIndex(source, [amd64]);
    const result = await copy(index, { policy: 'rewrite', platforms: [linux('amd64')] });
    expect(result.descriptor).toEqual(index);
  });

  it('are of no account for what is no index, but it has to be for the wanted platform', async () => {
    const arm64 = putImage(source, ['x'], linux('arm64'));
    const { ledger } = await copy(arm64, { policy: 'sparse', platforms: [linux('arm64')] });
    expect(ledger).toMatchObject({ policy: 'whole', digest: arm64.digest });
    expect(ledger).not.toHaveProperty('platforms');
    expect((await copy(arm64, { policy: 'sparse' })).upToDate).toBe(true);
    const wrong = copy(arm64, { platforms: [linux('arm64'), linux('amd64')] });
    await expect(wrong).rejects.toThrow(
      expect.objectContaining({
        code: 'PLATFORM_MISSING',
        details: expect.objectContaining({ wanted: 'linux/amd64' }),
      }),
    );
  });

  it('single takes the image without its index', async () => {
    const { index, arm64 } = putMultiPlatform(source);
    const result = await copy(index, { policy: 'single', platforms: [linux('arm64')] });
    expect(result.descriptor.digest).toBe(arm64.digest);
    expect(result.ledger).toMatchObject({ sourceDigest: index.digest, digest: arm64.digest });
    expect([...target.manifests.keys()]).toEqual([arm64.digest]);
    source.requests.length = 0;
    target.requests.length = 0;
    expect((await copy(index, { policy: 'single', platforms: [linux('arm64')] })).upToDate).toBe(true);
    expect([...source.requests, ...target.requests]).toEqual(['GET manifest', 'HEAD tag']);
  });

  it.each(['sparse', 'rewrite', 'single'] as const)('%s looks into nested indexes', async (policy) => {
    Object.assign(target, { takesPartialIndexes: true });
    const wanted = putImage(source, ['wanted'], linux('riscv64'));
    const inner = putIndex(source, [putImage(source, ['inner']), wanted]);
    const other = putIndex(source, [putImage(source, ['other'], linux('s390x'))]);
    const index = putIndex(source, [putImage(source, ['outer']), inner, other]);
    const { descriptor } = await copy(index, { policy, platforms: [linux('riscv64')] });
    expect(target.manifests.has(wanted.digest)).toBe(true);
    expect(target.blobs.size).toBe(2);
    const top = target.manifests.get(descriptor.digest)?.bytes ?? Buffer.alloc(0);
    if (policy === 'sparse') expect(descriptor).toEqual(index);
    if (policy === 'single') expect(descriptor).toEqual(wanted);
    if (policy === 'rewrite') {
      const [only, ...more] = parseIndex(top).manifests;
      expect(more).toEqual([]);
      const rewritten = parseIndex(target.manifests.get(only?.digest ?? wanted.digest)?.bytes ?? Buffer.alloc(0));
      expect(rewritten.manifests).toEqual([wanted]);
    }
  });

  it('take every version of an operating system that fits, and the best where none is the same', async () => {
    const windows = (osVersion: string) => ({ os: 'windows', architecture: 'amd64', osVersion });
    const one = putImage(source, ['one'], windows('10.0.17763.1'));
    const two = putImage(source, ['two'], windows('10.0.20348.1'));
    const armv6 = putImage(source, ['arm'], linux('arm', 'v6'));
    const index = putIndex(source, [one, two, armv6]);
    const platforms = [{ os: 'windows', architecture: 'amd64' }, linux('arm', 'v7')];
    const { descriptor } = await copy(index, { policy: 'rewrite', platforms });
    expect(descriptor).toEqual(index);
  });

  it('find the platform of entries without one in the image itself', async () => {
    const { platform: _, ...bare } = putImage(source, ['x'], linux('arm64'));
    const index = putIndex(source, [putImage(source, ['y']), bare]);
    const { descriptor } = await copy(index, { platforms: [linux('arm64')] });
    expect(descriptor.digest).toBe(bare.digest);
  });

  it('say which platforms there are, and refuse contradictions', async () => {
    const { index } = putMultiPlatform(source);
    await expect(copy(index, { platforms: [linux('s390x')] })).rejects.toMatchObject({
      code: 'PLATFORM_MISSING',
      details: { available: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'] },
    });
    await expect(copy(index, { policy: 'whole', platforms: [linux('amd64')] })).rejects.toThrowError(
      code('POLICY_INVALID'),
    );
    await expect(copy(index, { policy: 'single', platforms: [linux('amd64'), linux('arm64')] })).rejects.toThrowError(
      code('POLICY_INVALID'),
    );
  });
});

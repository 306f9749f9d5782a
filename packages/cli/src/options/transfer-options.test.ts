import { describe, expect, it } from 'vitest';
import { parseCompressionFlag } from './compression.ts';
import { parsePlatformsFlag } from './platforms.ts';

describe('--platform', () => {
  it.each([
    [[], undefined],
    [['all'], 'all'],
    [['linux/amd64'], [{ os: 'linux', architecture: 'amd64' }]],
    [
      ['linux/amd64,linux/arm/v7', 'linux/x86_64'],
      [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm', variant: 'v7' },
      ],
    ],
  ])('%j', (values, expected) => {
    expect(parsePlatformsFlag(values)).toEqual(expected);
  });

  it.each([[['']], [['linux/amd64,']], [['all,linux/amd64']], [['all', 'linux/amd64']]])('refuses %j', (values) => {
    expect(() => parsePlatformsFlag(values)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('refuses what is no platform', () => {
    expect(() => parsePlatformsFlag(['a/b/c/d'])).toThrow(expect.objectContaining({ code: 'PLATFORM_INVALID' }));
  });
});

describe('--compression', () => {
  it.each([
    ['none', undefined],
    ['gzip', { compression: 'gzip' }],
    ['gzip:9', { compression: 'gzip', level: 9 }],
    ['zstd:22', { compression: 'zstd', level: 22 }],
  ])('%s', (text, expected) => {
    expect(parseCompressionFlag(text)).toEqual(expected);
  });

  it.each(['', 'xz', 'none:1', 'gzip:', 'gzip:1.5', 'zstd:3:4', 'GZIP'])('refuses %j', (text) => {
    expect(() => parseCompressionFlag(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it.each(['gzip:0', 'gzip:10', 'zstd:23'])('has no level %s', (text) => {
    expect(() => parseCompressionFlag(text)).toThrow(expect.objectContaining({ code: 'COMPRESSION_LEVEL' }));
  });
});

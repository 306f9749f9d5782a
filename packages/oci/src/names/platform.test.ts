import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPlatform, hostPlatform, normalizePlatform, type Platform, parsePlatform } from './platform.ts';
import { bestForPlatform, platformMatches, samePlatform } from './platform-match.ts';

const host = hostPlatform();

describe('parsePlatform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['Linux/x86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/arm64', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['linux/s390x', 'linux/s390x'],
    ['windows/amd64', 'windows/amd64'],
    ['macos/arm64', 'darwin/arm64'],
    ['plan10/vax', 'plan10/vax'],
    ['arm64', `${host.os}/arm64`],
    ['Aarch64', `${host.os}/arm64`],
    ['armel', `${host.os}/arm/v6`],
    ['linux', formatPlatform({ ...host, os: 'linux' })],
    ['macOS', formatPlatform({ ...host, os: 'darwin' })],
  ])('%s is %s', (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected);
    expect(parsePlatform(expected)).toEqual(parsePlatform(text));
  });

  it('reads version and features of the operating system', () => {
    expect(parsePlatform('windows(10.0.17763%2Bb+win32k+a)/amd64')).toEqual({
      os: 'windows',
      architecture: 'amd64',
      osVersion: '10.0.17763+b',
      osFeatures: ['a', 'win32k'],
    });
    expect(parsePlatform('windows()/amd64')).toEqual({ os: 'windows', architecture: 'amd64' });
  });

  it.each([
    '',
    '/linux/arm',
    'linux/',
    'linux/arm/',
    'linux /arm',
    'linux/&arm',
    'linux/arm/v7/x',
    'linux/*',
    'windows(%zz)/amd64',
    'linux(+)/amd64',
    'linux/amd64\n',
    `linux/${'a'.repeat(100_000)}`,
  ])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'PLATFORM_INVALID' }));
  });

  it('suggests what was meant', () => {
    expect(() => parsePlatform('adm64')).toThrow(expect.objectContaining({ hint: 'Did you mean amd64?' }));
  });
});

describe('hostPlatform', () => {
  it('is in normal form and names a Go architecture', () => {
    expect(normalizePlatform(host)).toEqual(host);
    expect(host.architecture).not.toBe('x64');
  });
});

describe('platformMatches', () => {
  it.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/386', true],
    ['linux/386', 'linux/amd64', false],
    ['linux/amd64', 'linux/amd64/v2', false],
    ['linux/amd64/v3', 'linux/amd64', true],
    ['linux/amd64/v3', 'linux/amd64/v2', true],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64', 'linux/arm/v7', true],
    ['linux/arm64', 'linux/arm64/v9', false],
    ['linux/arm64/v9', 'linux/arm64', true],
    ['linux/arm64/v9', 'linux/arm64/v8.5', true],
    ['linux/arm64/v9', 'linux/arm64/v8.6', false],
    ['linux/arm64/v8.2', 'linux/arm64/v8.1', true],
    ['linux/arm/v7', 'linux/arm/v6', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/arm', 'linux/armhf', true],
    ['linux/riscv64', 'linux/riscv64', true],
    ['windows(10.0.17763.1)/amd64', 'windows(10.0.17763.99)/amd64', true],
    ['windows(10.0.17763.1)/amd64', 'windows(10.0.20348.1)/amd64', false],
    ['windows(10.0.17763.1)/amd64', 'windows/amd64', true],
    ['linux(+gpu)/amd64', 'linux(+gpu)/amd64', true],
    ['linux/amd64', 'linux(+gpu)/amd64', false],
  ])('%s runs %s: %s', (wanted, have, expected) => {
    expect(platformMatches(parsePlatform(wanted), parsePlatform(have))).toBe(expected);
  });

  it('prefers the nearest variant, then the first', () => {
    const best = (wanted: string, ...have: string[]) => bestForPlatform(parsePlatform(wanted), have, parsePlatform);
    expect(best('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6', 'linux/amd64')).toBe('linux/arm/v6');
    expect(best('linux/amd64', 'linux/386', 'linux/amd64')).toBe('linux/amd64');
    expect(best('linux/arm64', 'linux/arm64/v8', 'linux/arm64')).toBe('linux/arm64/v8');
    expect(best('linux/arm64', 'linux/arm/v6', 'linux/arm/v7')).toBe('linux/arm/v7');
    expect(best('linux/s390x', 'linux/amd64')).toBeUndefined();
    expect(bestForPlatform(host, [1], () => undefined)).toBeUndefined();
  });

  it('takes platforms as documents write them', () => {
    const written: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
    expect(samePlatform(parsePlatform('linux/arm64'), written)).toBe(true);
    expect(samePlatform(parsePlatform('linux/amd64'), { os: 'linux', architecture: '386' })).toBe(false);
  });
});

describe('normalizePlatform', () => {
  it('is idempotent, and every platform matches itself', () => {
    const part = fc.oneof(
      fc.constantFrom('arm', 'arm64', 'aarch64', 'amd64', 'x86_64', 'armel', 'i386', 'v8', 'v9.2', 'v3', '7', ''),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(part, part, fc.array(part), (architecture, variant, osFeatures) => {
        const once = normalizePlatform({ os: 'linux', architecture, variant, osFeatures });
        expect(normalizePlatform(once)).toEqual(once);
        expect(platformMatches(once, { os: 'linux', architecture, variant, osFeatures })).toBe(true);
      }),
    );
  });
});

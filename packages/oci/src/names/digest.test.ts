import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestAlgorithm, digestFromHash, digestHex, digestOf, isDigest, parseDigest } from './digest.ts';

const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('parseDigest', () => {
  it.each([empty, `sha512:${'0123456789abcdef'.repeat(8)}`])('takes %s', (text) => {
    expect(parseDigest(text)).toBe(text);
  });

  it.each([
    ['', /sha256:/],
    ['sha256', /sha256:/],
    [`sha256:${'a'.repeat(63)}`, /64/],
    [`sha256:${'a'.repeat(65)}`, /64/],
    [`sha256:${'g'.repeat(64)}`, /hexadecimal/],
    [`SHA256:${'a'.repeat(64)}`, /lower case/],
    [empty.toUpperCase(), /lower case/],
    [`${empty}\n`, /64/],
    [` ${empty}`, /64/],
    [`sha384:${'a'.repeat(96)}`, /sha384 digests are not supported/],
    [`md5:${'a'.repeat(32)}`, /md5 digests are not supported/],
    [`sha256:../../${'a'.repeat(58)}`, /64/],
  ])('D1: refuses %j before it can become a path', (text, hint) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(
      expect.objectContaining({ code: 'DIGEST_INVALID', hint: expect.stringMatching(hint) }),
    );
  });

  it('shows hostile text escaped and cut', () => {
    const text = `\u001b]0;x\u0007${'y'.repeat(100_000)}`;
    expect(() => parseDigest(text)).toThrow(/^"\\x1b\]0;x\\x07y+\.\.\." is not a digest$/);
  });
});

describe('digestOf', () => {
  it('names bytes and text', () => {
    expect(digestOf(new Uint8Array(0))).toBe(empty);
    expect(digestOf('中')).toBe(digestOf(Buffer.from('中')));
    expect(digestOf('', 'sha512')).toMatch(/^sha512:cf83e1357eefb8bd/);
    expect(digestFromHash(createHash('sha256').update('a').update('b'))).toBe(digestOf('ab'));
  });

  it('is taken apart', () => {
    expect(digestHex(parseDigest(empty))).toBe(empty.slice(7));
    expect(digestAlgorithm(digestOf('', 'sha512'))).toBe('sha512');
    expect(digestHex(digestOf('', 'sha512'))).toHaveLength(128);
  });
});

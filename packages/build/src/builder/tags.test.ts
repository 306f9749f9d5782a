import { isTag } from '@boxwright/oci';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slugifyTag, timestampTag } from './tags.ts';

describe('slugifyTag', () => {
  it.each([
    ['3.4.5-python3.12', '3.4.5-python3.12'],
    ['1!3.0.0', '1-3.0.0'],
    ['Größe', 'Grosse'],
    ["it's  a tag", 'it-s-a-tag'],
    ['--a--b--', 'a-b'],
    ['1,000,000', '1000000'],
    ['.hidden', 'hidden'],
    ['中文', ''],
    [`${'x'.repeat(127)}-y`, 'x'.repeat(127)],
  ])('%s', (text, expected) => {
    expect(slugifyTag(text)).toBe(expected);
  });

  it('gives a tag or nothing, and keeps tags that have no dashes at their ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const tag = slugifyTag(text);
        expect(tag === '' || isTag(tag)).toBe(true);
        expect(slugifyTag(tag)).toBe(tag);
      }),
    );
  });
});

describe('timestampTag', () => {
  it('has the form of Prefect', () => {
    expect(timestampTag(Date.UTC(2026, 10, 21, 23, 20, 1) + 123.456)).toBe('2026-11-21t23-20-01-123456-00-00');
    expect(timestampTag(0)).toBe('1970-01-01t00-00-00-000000-00-00');
  });

  it('is now, and a tag', () => {
    const tag = timestampTag();
    expect(isTag(tag)).toBe(true);
    expect(tag).toMatch(new RegExp(`^${new Date().getUTCFullYear()}-.*-00-00$`));
    expect(timestampTag() >= tag).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, padToWidth, truncateToWidth } from './display-width.ts';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['镜像', 4],
    ['한글', 4],
    ['ｆｕ', 4],
    ['📦x', 3],
    ['𠀀', 2],
    ['a\u200bb', 2],
  ])('%j', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('truncateToWidth', () => {
  it('cuts before a wide character that does not fit', () => {
    expect(truncateToWidth('镜像页面', 5)).toBe('镜像');
    expect(truncateToWidth('镜像页面', 5, '…')).toBe('镜像…');
    expect(truncateToWidth('abcdef', 6, '…')).toBe('abcdef');
    expect(truncateToWidth('abcdefg', 6, '…')).toBe('abcde…');
    expect(truncateToWidth('abc', 0, '…')).toBe('');
  });

  it('never exceeds the columns and never splits a code point', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, columns) => {
        const cut = truncateToWidth(text, columns, '…');
        expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('padToWidth', () => {
  it('counts columns, not characters', () => {
    expect(padToWidth('镜像', 6)).toBe('镜像  ');
    expect(padToWidth('toolong', 3)).toBe('toolong');
  });
});

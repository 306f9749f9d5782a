import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { align } from './align.ts';

const rows = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

/** The length of the longest common subsequence, by trying. */
function longest(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return 0;
  if (left[0] === right[0]) return 1 + longest(left.slice(1), right.slice(1));
  return Math.max(longest(left.slice(1), right), longest(left, right.slice(1)));
}

describe('align', () => {
  it('keeps order, covers both, and pairs as much as can be', () => {
    fc.assert(
      fc.property(rows, rows, (before, after) => {
        const pairs = align(before, after);
        expect(pairs.flatMap((pair) => pair.before ?? [])).toEqual([...before.keys()]);
        expect(pairs.flatMap((pair) => pair.after ?? [])).toEqual([...after.keys()]);
        const both = pairs.filter((pair) => pair.before !== undefined && pair.after !== undefined);
        for (const pair of both) expect(before[pair.before ?? -1]).toBe(after[pair.after ?? -1]);
        if (before.length * after.length < 40) expect(both).toHaveLength(longest(before, after));
      }),
    );
  });

  it('says what is gone before what is new', () => {
    expect(align(['x', 'a', 'y'], ['x', 'b', 'y'])).toEqual([
      { before: 0, after: 0 },
      { before: 1 },
      { after: 1 },
      { before: 2, after: 2 },
    ]);
  });

  it('takes histories as long as can be', () => {
    const before = Array.from({ length: 100_000 }, (_, index) => `a${index}`);
    const after = Array.from({ length: 100_000 }, (_, index) => (index % 2 === 0 ? `a${index}` : `b${index}`));
    const pairs = align(['x', ...before], ['y', ...after]);
    expect(pairs.filter((pair) => pair.before !== undefined && pair.after !== undefined)).toHaveLength(50_000);
  });
});

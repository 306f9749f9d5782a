import { describe, expect, it } from 'vitest';
import { hasId, parseIdMap, parseSubordinateIds } from './subordinate-ids.ts';

describe('parseSubordinateIds', () => {
  it('takes the lines of the user, by name or number', () => {
    const text =
      '# comment\nann:100000:65536\nbob:165536:65536\n1000:300000:1000\nann:x:1\nann:1:0\nann:4294967295:10\n';
    expect(parseSubordinateIds(text, 'ann', 1000)).toEqual([
      { first: 100000, count: 65536 },
      { first: 300000, count: 1000 },
    ]);
    expect(parseSubordinateIds(text, 'eve', 7)).toEqual([]);
  });
});

describe('parseIdMap', () => {
  it('lists the ids inside', () => {
    const ranges = parseIdMap('         0       1000          1\n         1     200000      65536\n');
    expect(ranges).toEqual([
      { first: 0, count: 1 },
      { first: 1, count: 65536 },
    ]);
    expect([0, 1, 65536, 65537].map((id) => hasId(ranges, id))).toEqual([true, true, true, false]);
  });
});

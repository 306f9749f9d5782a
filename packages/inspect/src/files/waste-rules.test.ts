import { describe, expect, it } from 'vitest';
import { checkWaste, parseRatio, parseSize, ruleText } from './waste-rules.ts';

describe('rules', () => {
  const efficiency = { score: 0.9, wastedBytes: 20_000_000, userWastedRatio: 0.1, bytes: 1, userBytes: 1, wasted: [] };

  it('hold at their limits and fail beyond', () => {
    const rules = { lowestEfficiency: 0.9, highestWastedBytes: 20_000_000, highestUserWastedPercent: 0.1 };
    expect(checkWaste(efficiency, rules).every(({ passed }) => passed)).toBe(true);
    const strict = { lowestEfficiency: 0.91, highestWastedBytes: 19_999_999, highestUserWastedPercent: 0.09 };
    expect(checkWaste(efficiency, strict).map(ruleText)).toEqual([
      'FAIL lowestEfficiency: 0.9000, at least 0.9100',
      'FAIL highestWastedBytes: 20.00MB, at most 20.00MB',
      'FAIL highestUserWastedPercent: 0.1000, at most 0.0900',
    ]);
    expect(checkWaste(efficiency, {})).toEqual([]);
  });

  it('are written as people write them', () => {
    expect(['0.95', '95%', '1', '.5', 'disabled'].map(parseRatio)).toEqual([0.95, 0.95, 1, 0.5, undefined]);
    expect(['20MB', '1.5GiB', '1000', '3 kB', '7b', 'disabled'].map(parseSize)).toEqual([
      20_000_000,
      1_610_612_736,
      1000,
      3000,
      7,
      undefined,
    ]);
    for (const text of ['1.1', '-1', 'x', '101%', '']) expect(() => parseRatio(text)).toThrow('is no ratio');
    for (const text of ['20XB', '-1', '', 'MB']) expect(() => parseSize(text)).toThrow('is no size');
  });
});

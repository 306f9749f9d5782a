import { describe, expect, it } from 'vitest';
import { cacheKey, StepCache } from './step-cache.ts';

describe('StepCache', () => {
  it('does equal work once, also at the same time', async () => {
    const cache = new StepCache();
    let count = 0;
    const make = async (): Promise<number> => ++count;
    const both = await Promise.all([cache.result('a', make), cache.result('a', make)]);
    expect(both).toEqual([
      { value: 1, cached: false },
      { value: 1, cached: true },
    ]);
    expect(await cache.result('a', make, true)).toEqual({ value: 2, cached: false });
    expect(await cache.result('a', make)).toEqual({ value: 2, cached: true });
  });

  it('keeps no failure', async () => {
    const cache = new StepCache();
    await expect(cache.result('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await cache.result('a', async () => 'yes')).toEqual({ value: 'yes', cached: false });
  });

  it('reads files again when they may have changed', async () => {
    const cache = new StepCache({ keepsReadings: true });
    let count = 0;
    const read = async (): Promise<number> => ++count;
    expect([await cache.reading('a', read), await cache.reading('a', read)]).toEqual([1, 1]);
    cache.filesMayHaveChanged();
    expect(await cache.reading('a', read)).toBe(2);
    const other = new StepCache();
    expect([await other.reading('a', read), await other.reading('a', read)]).toEqual([3, 4]);
  });

  it('does works of one key one after the other', async () => {
    const cache = new StepCache();
    const log: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`);
      await new Promise((fulfil) => setTimeout(fulfil, 5));
      log.push(`${name} ends`);
      if (name === 'a') throw new Error('a');
    };
    await Promise.allSettled([cache.oneAfterTheOther('k', work('a')), cache.oneAfterTheOther('k', work('b'))]);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });
});

describe('cacheKey', () => {
  it('does not depend on the order of names', () => {
    expect(
      cacheKey('x', {
        a: 1,
        b: new Map([
          ['c', '1'],
          ['d', '2'],
        ]),
      }),
    ).toBe(
      cacheKey('x', {
        b: new Map([
          ['d', '2'],
          ['c', '1'],
        ]),
        a: 1,
      }),
    );
  });

  it('tells apart what Python does not', () => {
    const keys = [{ a: 1 }, { a: true }, { a: '1' }, { a: ['1'] }, { a: '["1"]' }].map((part) => cacheKey('x', part));
    expect(new Set(keys).size).toBe(keys.length);
    expect(cacheKey('x', {})).not.toBe(cacheKey('y', {}));
  });
});

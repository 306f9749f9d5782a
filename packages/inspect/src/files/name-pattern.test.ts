import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namePattern } from './name-pattern.ts';

describe('namePattern', () => {
  it.each([
    ['*.conf', ['/etc/a.conf', '/b.conf'], ['/etc/a.conf.d/x', '/conf']],
    ['/etc/*', ['/etc/a'], ['/etc/a/b', '/etcetera']],
    ['/etc/**', ['/etc/a', '/etc/a/b'], ['/etcetera/x']],
    ['/usr/**/x', ['/usr/x', '/usr/a/x', '/usr/a/b/x'], ['/usrfoo/x', '/usr/ax']],
    ['**/x', ['/x', '/a/x'], ['/ax']],
    ['etc/[a-c]?', ['/etc/ab', '/etc/cz'], ['/etc/da', '/etc/a', '/x/etc/ab']],
    ['[!a]*', ['/x/b', '/b'], ['/a', '/b/a']],
    ['\\*', ['/x/*'], ['/x/a']],
    ['[', ['/['], ['/x']],
    ['中?', ['/中文', '/中😀'], ['/中']],
  ])('%s', (pattern, yes, no) => {
    const matches = namePattern(pattern);
    expect(yes.filter((path) => !matches(path))).toEqual([]);
    expect(no.filter(matches)).toEqual([]);
  });

  it('takes linear time and finds every path by itself', () => {
    const start = performance.now();
    expect(namePattern(`${'*a'.repeat(60)}b`)(`/${'a'.repeat(5000)}`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(10_000);
    fc.assert(
      fc.property(fc.stringMatching(/^(\/[a-z]{1,3}){1,4}$/), (path) => {
        expect(namePattern(path)(path)).toBe(true);
        expect(namePattern('/**')(path)).toBe(true);
        expect(namePattern('*')(path)).toBe(true);
      }),
    );
  });
});

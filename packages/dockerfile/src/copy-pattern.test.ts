import { describe, expect, it } from 'vitest';
import { cleanPath } from './clean-path.ts';
import { compileCopyPattern, hasWildcard, matchCopyPattern, splitWildcard } from './copy-pattern.ts';
import { createPatternMatcher } from './pattern-matcher.ts';

describe('matchCopyPattern', () => {
  // Rows follow the rules of Go's path/filepath.Match.
  it.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['*', '', true],
    ['*c', 'abc', true],
    ['a*', 'a/b', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['**/c', 'a/c', true],
    ['**/c', 'a/b/c', false],
    ['**', 'a/b', false],
    ['a/**/c', 'a/b/c', true],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a中b', true],
    ['a?b', 'a😀b', true],
    ['a[^a]b', 'a中b', true],
    ['a??b', 'a中b', false],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['a?b', 'a/b', false],
    ['[\\]a]', ']', true],
    ['[\\-x]', 'x', true],
    ['[x\\-]', '-', true],
    ['[]a]', 'a', false],
    ['[-]', '-', false],
    ['[x-]', 'x', false],
    ['[^', 'a', false],
    ['[a', 'a', false],
    ['a[', 'ab', false],
    ['a\\', 'a', false],
    ['*x', 'xxx', true],
  ])('%s on %s: %s', (pattern, path, expected) => {
    expect(matchCopyPattern(pattern, path)).toBe(expected);
  });

  it('says which directories are worth reading', () => {
    const pattern = compileCopyPattern('a*/b/*.txt');
    expect(['', 'ab', 'ab/b', 'x', 'ab/c', 'ab/b/c'].map((path) => pattern?.mayMatchBelow(path))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(compileCopyPattern('a[')).toBeUndefined();
  });
});

describe('splitWildcard', () => {
  it.each([
    ['a/b', 'a/b', ''],
    ['/a//b/', '/a/b', ''],
    ['a/*.c', 'a', '*.c'],
    ['./d/../*.txt', '', '*.txt'],
    ['/a/b?/c', '/a', 'b?/c'],
    ['/*', '/', '*'],
    ['*', '', '*'],
    ['a\\*/b', 'a\\*/b', ''],
    ['.', '.', ''],
  ])('%s', (source, base, pattern) => {
    expect(splitWildcard(source)).toEqual({ base, pattern });
  });

  it('knows wildcards', () => {
    expect(['a*', 'a?', 'a[b', 'a]', 'a\\*', 'a\\\\*'].map(hasWildcard)).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });
});

describe('cleanPath', () => {
  it.each([
    ['', '.'],
    ['.', '.'],
    ['a//b/./c/', 'a/b/c'],
    ['a/../..', '..'],
    ['../../a', '../../a'],
    ['/..', '/'],
    ['/a/../b', '/b'],
    ['a/..', '.'],
    ['//', '/'],
  ])('%j', (path, expected) => {
    expect(cleanPath(path)).toBe(expected);
  });
});

describe('createPatternMatcher', () => {
  it('serves --exclude: no slash is dropped in front', () => {
    const matcher = createPatternMatcher([
      { text: '**/*.txt', origin: 'COPY --exclude' },
      { text: '!d/a.txt', origin: 'COPY --exclude' },
      { text: '/x', origin: 'COPY --exclude' },
      { text: ' ', origin: 'COPY --exclude' },
    ]);
    expect(['a.txt', 'd/a.txt', 'd/b.txt', 'x'].map((path) => matcher.matches(path))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('serves --parents: directories that lead to a match', () => {
    const matcher = createPatternMatcher([{ text: 'a/*/c', origin: 'COPY --parents' }]);
    expect(['a', 'b', 'a/x', 'a/x/c', 'a/x/d'].map((path) => matcher.mayMatchBelow(path))).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(createPatternMatcher([]).mayMatchBelow('a')).toBe(false);
  });
});

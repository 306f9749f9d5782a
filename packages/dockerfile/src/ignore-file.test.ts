import { BoxwrightError } from '@boxwright/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIgnoreFile } from './ignore-file.ts';

/** Ignore file, path, left out or not: as Docker Engine 28.5 has it, but for the three rows marked. */
const rows: readonly (readonly [string, string, boolean])[] = [
  ['a', 'a', true],
  ['a', 'a/b', true],
  ['a', 'ab', false],
  ['a', 'd/a', false],
  ['/a', 'a', true],
  ['./a', 'a', true],
  ['a/', 'a', true],
  ['a/', 'a/b', true],
  ['x/../a', 'a', true],
  ['../a', 'a', false],
  ['.', 'a', false],
  ['/', 'a', false],
  ['..', 'a', false],
  ['*', 'a', true],
  ['*', '.h', true],
  ['*', 'd/e/f', true],
  ['*.txt', 'c.txt', true],
  ['*.txt', 'd/b.txt', false],
  ['*.txt', '.txt', true],
  ['*/a', 'd/a', true],
  ['*/a', 'd/e/a', false],
  ['*/a', 'a', false],
  ['*/*/a', 'd/e/a', true],
  ['?', 'a', true],
  ['?', 'ab', false],
  ['??', 'ab', true],
  ['?', '中', true],
  ['d?', 'dd', true],
  ['d?', 'd/', false],
  ['d?e', 'd/e', false],
  ['**', 'a', true],
  ['**', 'd/e/a', true],
  ['**/a', 'a', true],
  ['**/a', 'd/e/a', true],
  ['**/a', 'd/aa', false],
  ['**a', 'ba', true],
  ['**a', 'd/ea', true],
  ['**/*.txt', 'd/e/b.txt', true],
  ['**/*.txt', 'c.txt', true],
  ['d/**', 'd', false],
  ['d/**', 'd/e/a', true],
  ['d/**', 'dd/a', false],
  ['d/**/a', 'd/a', true],
  ['d/**/a', 'd/e/f/a', true],
  ['d/**/a', 'd/ea', false],
  ['d**', 'dd/a', true],
  ['d**', 'd', true],
  ['**/e/**', 'd/e/a', true],
  ['**/e/**', 'd/e', false],
  ['**/e/**', 'e/a', true],
  ['**/**/a', 'a', true],
  ['***', 'd/e', true],
  ['**d**', 'd/e', true],
  ['**d**', 'cd/e', false],
  ['src/**go', 'src/go', true],
  ['src/**go', 'src/x/go', true],
  ['src/**go', 'src/a.go', false],
  ['z/**/w', 'z/y/x/w/v', true],
  ['**/node_modules', 'a/node_modules/b', true],
  ['[a-c]', 'b', true],
  ['[a-c]', 'd', false],
  ['[^a-c]', 'd', true],
  ['[^a-c]', 'b', false],
  ['[!a]', '!', true],
  ['[!a]', 'a', true],
  ['[!a]', 'b', false],
  ['q\\[1\\]', 'q[1]', true],
  ['q[[]1]', 'q[1]', true],
  ['s\\*r', 's*r', true],
  ['s\\*r', 'sxr', false],
  ['s[*]r', 's*r', true], // not so in Docker
  ['b\\ c', 'b c', true],
  ['\\a', 'a', true], // not so in Docker
  ['d[/]a', 'd/a', true],
  ['[a\\-c]', '-', true],
  ['[\\]]', ']', true],
  ['*]', 'a]', true],
  ['a+b', 'a+b', true],
  ['a+b', 'aab', false],
  ['(x)', '(x)', true],
  ['*(x)*', 'a(x)b', true],
  ['a.c', 'abc', false],
  ['{a,b}', 'a', false],
  ['a|b', 'a', false],
  ['$', '$', true],
  ['^a', '^a', true],
  ['x^*', 'x^y', true], // not so in Docker
  ['"b c"', 'b c', false],
  ['b c', 'b c', true],
  ['FOO', 'foo', false],
  ['*\n!a', 'a', false],
  ['*\n!a', 'a/b', false],
  ['*\n!d/a', 'd', true],
  ['*\n!d/a', 'd/a', false],
  ['!a\na', 'a', true],
  ['a\n!a\na', 'a', true],
  ['a\n!a\na\n!a', 'a', false],
  ['d\n!d/e', 'd/e/f', false],
  ['d\n!d/e', 'd/a', true],
  ['*\n!**/*.txt', 'd/e/b.txt', false],
  ['*\n!**/*.txt', 'd/e', true],
  ['*\n!*/\n', 'd/e', false],
  ['*\n!src/*\nsrc/sub', 'src/sub/keep', true],
  ['*\n!src\nsrc/sub\n!src/sub/x.txt', 'src/sub/x.txt', false],
  ['*\n!src\nsrc/sub\n!src/sub/x.txt', 'src/sub/y', true],
  ['*\n!**/*.txt\nnode_modules', 'node_modules/a.txt', false],
  ['src\n!src/keep', 'src/sub/keep', true],
  ['# a\nb', 'a', false],
  ['#a', '#a', false],
  [' #a', '#a', true],
  ['\ufeffa', 'a', true],
  ['a\r\nb\r\n', 'b', true],
  ['  a  ', 'a', true],
  ['\ta\t', 'a', true],
  ['\n\n', 'a', false],
  ['! a\n', 'a', false],
  ['a\n! a', 'a', false],
  ['a\n!/a', 'a', false],
  ['a\n!./a/', 'a', false],
];

describe('parseIgnoreFile', () => {
  it.each(rows)('%j leaves %j out: %s', (text, path, expected) => {
    expect(parseIgnoreFile(text).matches(path)).toBe(expected);
  });

  it.each(['!', 'a\n! ', '!/', 'a[', '[', '[]a]', '[a-]', '[-a]', '[^]', 'd/e\\', '!a['])('refuses %j', (text) => {
    expect(() => parseIgnoreFile(text)).toThrow(BoxwrightError);
  });

  it('says where a bad pattern stands', () => {
    expect(() => parseIgnoreFile('a\n\nb[', { file: 'x.dockerignore' })).toThrow(
      expect.objectContaining({ code: 'IGNORE_PATTERN', message: 'x.dockerignore:3: malformed pattern: "b["' }),
    );
    expect(() => parseIgnoreFile('a'.repeat(10_000))).toThrow(/too long/);
    expect(() => parseIgnoreFile(new Uint8Array(17 * 1024 * 1024))).toThrow(/larger than/);
  });

  it('reads bytes and keeps the cleaned patterns', () => {
    const matcher = parseIgnoreFile(Buffer.from('\ufeff/a/\n# c\n ! ./b/../c \n\n**/d//e\n'));
    expect(matcher.patterns).toEqual(['a', '!c', '**/d/e']);
  });

  it('never leaves out the root', () => {
    const matcher = parseIgnoreFile('**');
    expect([matcher.matches(''), matcher.matches('.'), matcher.matches('a/', true)]).toEqual([false, false, true]);
  });

  it('answers the same whatever was asked before', () => {
    const text = '*\n!**/*.txt\nnode_modules\n!d/e/a\nd/e/a/x.txt';
    const paths = [
      'd/e/a/x.txt',
      'd',
      'd/e',
      'node_modules/a.txt',
      'd/e/a',
      'node_modules',
      'd/e/a/y',
      'b.txt',
      'd/e/a/x.txt',
    ];
    const matcher = parseIgnoreFile(text);
    for (const path of [...paths, ...paths.toReversed()]) {
      expect([path, matcher.matches(path)]).toEqual([path, parseIgnoreFile(text).matches(path)]);
    }
  });

  it.each([
    ['node_modules', 'node_modules', false],
    ['*\n!src/keep', 'src', true],
    ['*\n!src/keep', 'src/sub', false],
    ['*\n!src/keep', 'lib', false],
    ['*\n!src/keep\nsrc', 'src', true],
    ['!src/keep\n*', 'src', false],
    ['*\n!**/*.txt', 'a/b/c', true],
    ['*\n!*.txt', 'a', false],
    ['*\n!a*/b', 'abc', true],
    ['*\n!a*/b', 'bc', false],
    ['*\n!a/**', 'a', true],
    ['*\n!a/**', 'b', false],
    ['a\n!a/b\na/b', 'a/b', false],
    ['*\n!d/?/f', 'd/e', true],
    ['*\n!d/?/f', 'd/ee', false],
    ['*\n!**b', 'a', true],
  ])('%j: must %j be read? %s', (text, directory, expected) => {
    const matcher = parseIgnoreFile(text);
    expect(matcher.matches(directory, true)).toBe(true);
    expect(matcher.needsDescend(directory)).toBe(expected);
  });

  it('takes time in proportion to the path', () => {
    const started = performance.now();
    const path = 'a'.repeat(4000);
    for (const pattern of [
      `**/${'a*'.repeat(30)}b`,
      `${'**/'.repeat(50)}b`,
      `${'*a'.repeat(200)}b`,
      '**a**a**a**a**b',
    ]) {
      expect(parseIgnoreFile(pattern).matches(path)).toBe(false);
      expect(parseIgnoreFile(pattern).matches(`${path}/${'a/'.repeat(500)}c`)).toBe(false);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

/** The translation to regular expressions that moby/patternmatcher documents, for patterns without classes and escapes. */
function toRegExp(pattern: string): (path: string) => boolean {
  const special = /[*?]/.test(pattern.replace(/^\*\*|\*\*$/g, ''));
  if (pattern === '**') return () => true;
  if (!special && pattern.startsWith('**') && !pattern.endsWith('**')) {
    const suffix = pattern.slice(2);
    return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  }
  if (!special && pattern.endsWith('**') && !pattern.startsWith('**')) {
    return (path) => path.startsWith(pattern.slice(0, -2));
  }
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    if (pattern.startsWith('**', index)) {
      index += pattern[index + 2] === '/' ? 2 : 1;
      source += index + 1 >= pattern.length ? '.*' : '(.*/)?';
    } else if (pattern[index] === '*') source += '[^/]*';
    else if (pattern[index] === '?') source += '[^/]';
    else source += (pattern[index] ?? '').replace(/[.+()|{}$^/]/, '\\$&');
  }
  const expression = new RegExp(`^${source}$`);
  return (path) => expression.test(path);
}

/** The original's walk over patterns, once for the path and once for each of its parents. */
function reference(patterns: readonly string[], path: string): boolean {
  const parts = path.split('/');
  let parent: boolean[] = [];
  let matched = false;
  for (let count = 1; count <= parts.length; count++) {
    const file = parts.slice(0, count).join('/');
    const each = patterns.map(() => false);
    matched = false;
    for (const [index, text] of patterns.entries()) {
      const exception = text.startsWith('!');
      let match = parent[index] ?? false;
      if (!match && exception === matched) match = toRegExp(exception ? text.slice(1) : text)(file);
      each[index] = match;
      if (match) matched = !exception;
    }
    parent = each;
  }
  return matched;
}

const component = fc.constantFrom(
  'a',
  'b',
  'ab',
  'a.b',
  '*',
  '**',
  '?',
  'a*',
  '*b',
  '**a',
  'a**',
  '*a*',
  '***',
  'a+(b)',
  '$x',
);
const pattern = fc
  .tuple(fc.boolean(), fc.array(component, { minLength: 1, maxLength: 4 }))
  .map(([exception, parts]) => (exception ? '!' : '') + parts.join('/'));
const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'aab', 'a.b', 'ba', 'a+(b)', '$x', 'c'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));

describe('against the translation to regular expressions', () => {
  it('matches the same paths', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 4 }),
        fc.array(path, { minLength: 1, maxLength: 6 }),
        (patterns, paths) => {
          const matcher = parseIgnoreFile(patterns.join('\n'));
          for (const one of paths) expect([one, matcher.matches(one)]).toEqual([one, reference(patterns, one)]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('never says that a directory need not be read when something in it is kept', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), path, path, (patterns, directory, below) => {
        const matcher = parseIgnoreFile(patterns.join('\n'));
        fc.pre(matcher.matches(directory, true) && !matcher.needsDescend(directory));
        expect(matcher.matches(`${directory}/${below}`)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

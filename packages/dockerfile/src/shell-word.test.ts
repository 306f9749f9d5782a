import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxValueLength } from './limits.ts';
import { expandWord, WordError } from './shell-word.ts';

const variables = new Map([
  ['x', 'aabbcc'],
  ['EMPTY', ''],
  ['P', '/usr/local/bin/foo.tar.gz'],
  ['SP', 'one  two'],
  ['Q', 'it\'s "q"'],
  ['STAR', 'a*c?'],
  ['D', '$0-$1'],
  ['REF', '$x'],
  ['MEN', '中文x'],
  ['bs', 'a\\b'],
]);
const lookup = (name: string): string | undefined => variables.get(name);
const expand = (word: string): string => expandWord(word, lookup).text;

/** Word and result, all checked against Docker Engine 28.5 (BuildKit). */
const words: readonly (readonly [string, string])[] = [
  ['$x', 'aabbcc'],
  ['${x}', 'aabbcc'],
  ['"$x"', 'aabbcc'],
  ["'$x'", '$x'],
  ['\\$x', '$x'],
  ['"\\$x"', '$x'],
  ["'\\$x'", '\\$x'],
  ['a$x.b', 'aaabbcc.b'],
  ['$xb', ''],
  ['${x}b', 'aabbccb'],
  ['$1', ''],
  ['$12x', 'x'],
  ['$@', ''],
  ['$*', ''],
  ['$#', ''],
  ['$?', ''],
  ['$-', ''],
  ['$$', ''],
  ['$!', ''],
  ['$0', ''],
  ['$', '$'],
  ['a$', 'a$'],
  ['"$"', '$'],
  ['$.', '$.'],
  ['${EMPTY}', ''],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY-d}', ''],
  ['${EMPTY:+d}', ''],
  ['${EMPTY+d}', 'd'],
  ['${x:-d}', 'aabbcc'],
  ['${x-d}', 'aabbcc'],
  ['${x:+d}', 'd'],
  ['${x+d}', 'd'],
  ['${U:-d}', 'd'],
  ['${U-d}', 'd'],
  ['${U:+d}', ''],
  ['${U+d}', ''],
  ['${x:?no}', 'aabbcc'],
  ['${x?no}', 'aabbcc'],
  ['${EMPTY?no}', ''],
  ['${U:-${x:-z}}', 'aabbcc'],
  ['${U:-$x}', 'aabbcc'],
  ['${U:-"q r"}', 'q r'],
  ["${U:-'$x'}", '$x'],
  ['${U:-\\}}', '}'],
  ["${U:-a\\'b}", "a'b"],
  ['${P#*/}', 'usr/local/bin/foo.tar.gz'],
  ['${P##*/}', 'foo.tar.gz'],
  ['${P%.*}', '/usr/local/bin/foo.tar'],
  ['${P%%.*}', '/usr/local/bin/foo'],
  ['${P%/*}', '/usr/local/bin'],
  ['${P#/usr}', '/local/bin/foo.tar.gz'],
  ['${P#usr}', '/usr/local/bin/foo.tar.gz'],
  ['${P#?usr}', '/local/bin/foo.tar.gz'],
  ['${P#}', '/usr/local/bin/foo.tar.gz'],
  ['${P##}', '/usr/local/bin/foo.tar.gz'],
  ['${P%}', '/usr/local/bin/foo.tar.gz'],
  ['${P#*}', '/usr/local/bin/foo.tar.gz'],
  ['${P##*}', ''],
  ['${P%*}', '/usr/local/bin/foo.tar.gz'],
  ['${P%%*}', ''],
  ['${P/o/0}', '/usr/l0cal/bin/foo.tar.gz'],
  ['${P//o/0}', '/usr/l0cal/bin/f00.tar.gz'],
  ['${P/\\//-}', '-usr/local/bin/foo.tar.gz'],
  ['${P//\\//-}', '-usr-local-bin-foo.tar.gz'],
  ['${P//[o]/0}', '/usr/local/bin/foo.tar.gz'],
  ['${P/*o/X}', 'X.tar.gz'],
  ['${P//?o/X}', '/usr/Xcal/bin/Xo.tar.gz'],
  ['${P//*/X}', 'X'],
  ['${x///X}', 'XaXaXbXbXcXcX'],
  ['${x/b/}', 'aabcc'],
  ['${x//b/}', 'aacc'],
  ['${x//z/y}', 'aabbcc'],
  ['${x//b/$D}', 'aab-b-cc'],
  ['${x/b/$D}', 'aa$0-$1bcc'],
  ['${x//b/\\$0}', 'aa\\b\\bcc'],
  ["${x//b/'q'}", 'aaqqcc'],
  ['${x//"b"/q}', 'aaqqcc'],
  ['${STAR/\\*/S}', 'aSc?'],
  ['${STAR//\\?/S}', 'a*cS'],
  ['${STAR/$STAR/S}', 'S'],
  ['${U//a/b}', ''],
  ['${U#a}', ''],
  ['$REF', '$x'],
  ['"$REF"', '$x'],
  ['$SP', 'one  two'],
  ['"$SP"', 'one  two'],
  ['x${SP}y', 'xone  twoy'],
  ['$Q', 'it\'s "q"'],
  ['"$Q"', 'it\'s "q"'],
  ['\\"a\\"', '"a"'],
  ["'a\"b'", 'a"b'],
  ['"a\'b"', "a'b"],
  ['"a\\"b"', 'a"b'],
  ['a\\ b', 'a b'],
  ['a\\\\b', 'a\\b'],
  ['"a\\\\b"', 'a\\b'],
  ["'a\\\\b'", 'a\\\\b'],
  ['"a\\nb"', 'a\\nb'],
  ['a\\nb', 'anb'],
  ['"a\\ b"', 'a\\ b'],
  ['a""b', 'ab'],
  ['""', ''],
  ["''", ''],
  ['"a"\'b\'"c"', 'abc'],
  ['$MEN', '中文x'],
  ['${MEN#中}', '文x'],
  ['${MEN%x}', '中文'],
  ['${MEN//?/.}', '...'],
  ['$中文', ''],
  ['${bs}', 'a\\b'],
  ['${bs#a\\\\}', 'b'],
  ['${bs//\\\\/x}', 'axb'],
  ['${bs%\\\\*}', 'a'],
  ['"${x}"\'${x}\'', 'aabbcc${x}'],
  ['${x%b*}', 'aab'],
  ['${x%%b*}', 'aa'],
  ['${x#a}', 'abbcc'],
  ['${x##a*b}', 'cc'],
  ['${x#a*b}', 'bcc'],
  ['${x%c*c}', 'aabb'],
  ['${x%b*c}', 'aab'],
  ['${x%%b*c}', 'aa'],
  ['${x/a*b/_}', '_cc'],
  ['${x//a/aa}', 'aaaabbcc'],
  ['${U:-${U2-${x%c}}}', 'aabbc'],
  ['${x:+"${x}"}', 'aabbcc'],
  ["${x+'a b'}", 'a b'],
  ['~/a', '~/a'],
  ['a#b', 'a#b'],
  ['"tab\tin"', 'tab\tin'],
];

describe('expandWord', () => {
  it.each(words)('%s', (word, expected) => {
    expect(expand(word)).toBe(expected);
  });

  it.each([
    '${',
    '${}',
    '${{x}',
    '${:x}',
    '${x',
    '${x:',
    '${x:-a',
    '${x=a}',
    '${x:=a}',
    '${x!a}',
    '${x//ww}',
    '${x/a}',
    '${x:#a}',
    '${x:%a}',
    '${.x}',
    '${x^^}',
    '${x,,}',
    '${x:0:1}',
    '${#x}',
    '${!x}',
    '${x@Q}',
    '${x#\\b}',
    '${x%\\}',
    '"a',
    "'a",
    '"${x"',
    '"${U:-"}"',
    '"${U:-a\'b}"',
  ])('refuses %s', (word) => {
    expect(() => expand(word)).toThrow(WordError);
  });

  it.each([
    ['${U:?no}', 'U: no'],
    ['${U?no}', 'U: no'],
    ['${EMPTY:?no $x}', 'EMPTY: no aabbcc'],
    ['${U:-${U2?inner}}', 'U2: inner'],
    ['${U?}', 'U: not set'],
    ['${EMPTY:?}', 'EMPTY: empty'],
  ])('names the variable of %s', (word, message) => {
    expect(() => expand(word)).toThrow(message);
  });

  it('says which variables were set and which were not', () => {
    const result = expandWord('$x ${U:-$V} $1 ${EMPTY}', lookup);
    expect([...result.matched]).toEqual(['x', 'EMPTY']);
    expect([...result.unmatched]).toEqual(['V', 'U', '1']);
  });

  it.each([
    ['a b', ['a', 'b']],
    ['  a \t b  ', ['a', 'b']],
    ['$SP', ['one', 'two']],
    ['"$SP"', ['one  two']],
    ["'a b' c", ['a b', 'c']],
    ['a\\ b', ['a b']],
    ['x${SP}y', ['xone', 'twoy']],
    ['', []],
    ['""', []],
    ['$U', []],
    ['a "" b', ['a', 'b']],
    ['cat << EOF', ['cat', '<< EOF']],
    ['a <b', ['a', '<b']],
  ])('splits %j', (word, expected) => {
    expect(expandWord(word, lookup).words).toEqual(expected);
  });

  it.each([
    ['`$x', '$x'],
    ['a` b', 'a b'],
    ['a\\b', 'a\\b'],
    ['"`"`$"', '"$'],
    ['${x#`*}', 'aabbcc'],
    ['a`', 'a'],
  ])('takes a backtick as escape character: %s', (word, expected) => {
    expect(expandWord(word, lookup, { escape: '`' }).text).toBe(expected);
  });

  it('keeps what it is told to keep', () => {
    const word = `"a $U" 'b' \\$x \${U:-d} \${U//a/b} $x`;
    const kept = expandWord(word, lookup, { rawQuotes: true, rawEscapes: true, keepUnset: true }).text;
    expect(kept).toBe(`"a $U" 'b' \\$x \${U:-d} \${U//a/b} aabbcc`);
    expect(expandWord(`"$x" 'a \\$x`, lookup, { skipQuotes: true }).text).toBe(`"aabbcc" 'a $x`);
  });

  it('stops values that grow without end', () => {
    const long = 'y'.repeat(maxValueLength);
    expect(expandWord('$a', () => long).text).toHaveLength(maxValueLength);
    expect(() => expandWord('$a$a', () => long)).toThrow(/longer than/);
    expect(() => expandWord('${a//y/zz}', () => long)).toThrow(/longer than/);
    expect(() => expandWord('${a:-'.repeat(100_000), () => undefined)).toThrow(/nested/);
  });

  it('matches patterns without backtracking', () => {
    const long = 'a'.repeat(100_000);
    const started = performance.now();
    expect(expandWord('${v#*a*a*a*a*a*a*b}', () => long).text).toBe(long);
    expect(expandWord('${v//a*a*a*a*a*b/c}', () => long).text).toBe(long);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(() => expandWord(`\${v//${'?'.repeat(5000)}b/c}`, () => long)).toThrow(/too long/);
  });

  it('throws nothing but WordError', () => {
    const piece = fc.constantFrom(
      '$',
      '{',
      '}',
      ':',
      '-',
      '+',
      '?',
      '#',
      '%',
      '/',
      '\\',
      '`',
      '"',
      "'",
      '*',
      'x',
      'U',
      ' ',
      '<',
      '中',
      '1',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.constantFrom('\\' as const, '`' as const),
        (pieces, escape) => {
          try {
            expandWord(pieces.join(''), lookup, { escape });
          } catch (error) {
            expect(error).toBeInstanceOf(WordError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('leaves text without special characters as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const plain = text.replace(/[$"'\\]/g, '');
        expect(expand(plain)).toBe(plain);
      }),
    );
  });

  it('gives back any value that is quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(expand(`"${text.replace(/(["\\$])/g, '\\$1')}"`)).toBe(text);
        expect(expandWord('"$v"', () => text).words).toEqual(text === '' ? [] : [text]);
      }),
    );
  });

  it('trims and replaces as a regular expression would', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '.', '/'), { maxLength: 8 }).map((parts) => parts.join(''));
    const pattern = fc.array(fc.constantFrom('a', 'b', '.', '*', '?'), { maxLength: 5 }).map((parts) => parts.join(''));
    const source = (glob: string, lazy: boolean): string =>
      glob
        .replaceAll('.', '\\.')
        .replaceAll('?', '.')
        .replaceAll('*', lazy ? '.*?' : '.*');
    fc.assert(
      fc.property(text, pattern, (value, glob) => {
        const run = (word: string): string => expandWord(word, () => value).text;
        expect(run(`\${v#${glob}}`)).toBe(value.replace(new RegExp(`^${source(glob, true)}`), ''));
        expect(run(`\${v##${glob}}`)).toBe(value.replace(new RegExp(`^${source(glob, false)}`), ''));
        expect(run(`\${v%%${glob}}`)).toBe(value.replace(new RegExp(`${source(glob, false)}$`), ''));
        expect(run(`\${v/"${glob}"/_}`)).toBe(value.replace(new RegExp(source(glob, false)), '_'));
      }),
      { numRuns: 2000 },
    );
  });
});

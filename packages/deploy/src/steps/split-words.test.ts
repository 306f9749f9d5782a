import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords } from './split-words.ts';

describe('splitWords', () => {
  // From Python's shlex.split.
  it.each<[string, readonly string[]]>([
    ['', []],
    ['  \t ', []],
    ['echo hello', ['echo', 'hello']],
    ['echo \'a b\' "c d"', ['echo', 'a b', 'c d']],
    ["a'b'c", ['abc']],
    ['\'\' x ""', ['', 'x', '']],
    ['a\\ b', ['a b']],
    ["'a\\b'", ['a\\b']],
    ['"a\\b"', ['a\\b']],
    ['"a\\"b\\\\c"', ['a"b\\c']],
    ['echo a # b', ['echo', 'a', '#', 'b']],
    ['echo $HOME | cat > x && y', ['echo', '$HOME', '|', 'cat', '>', 'x', '&&', 'y']],
    ['a\\\nb', ['a\nb']],
    ['grün 中文', ['grün', '中文']],
    ['"\'"\'"\'', ['\'"']],
  ])('%j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it.each(["'open", '"open', 'a "b', 'end\\', '"a\\'])('refuses %j', (line) => {
    expect(() => splitWords(line)).toThrowError(expect.objectContaining({ code: 'COMMAND_INVALID' }));
  });

  it('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const line = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ');
        expect(splitWords(line)).toEqual(words);
      }),
    );
  });
});

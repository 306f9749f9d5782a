import { describe, expect, it } from 'vitest';
import { pythonRepr } from './python-repr.ts';
import { toRunCommand } from './run-command.ts';

describe('pythonRepr', () => {
  // From CPython 3.11.
  it.each([
    ['a b', "'a b'"],
    ["it's", '"it\'s"'],
    ['"', "'\"'"],
    [`'"`, `'\\'"'`],
    ['a\\b', "'a\\\\b'"],
    ['\n\r\t', "'\\n\\r\\t'"],
    ['\u0000\u001b\u007f\u00a0\u00ad', "'\\x00\\x1b\\x7f\\xa0\\xad'"],
    ['é ü 中 😀', "'é ü 中 😀'"],
    ['\u2028\ufeff\ue000', "'\\u2028\\ufeff\\ue000'"],
    ['\u{e0001}', "'\\U000e0001'"],
    ['\ud800', "'\\ud800'"],
    ['', "''"],
  ])('%j', (text, expected) => {
    expect(pythonRepr(text)).toBe(expected);
  });
});

describe('toRunCommand', () => {
  it.each<[readonly string[], string]>([
    [[], ''],
    [['pwd'], 'RUN pwd'],
    [['echo', 'hello there', "it's", '$HOME'], `RUN echo 'hello there' "it's" '$HOME'`],
    [['python3', '-m', 'pip', 'install', '-U', 'pip'], "RUN python3 '-m' 'pip' 'install' '-U' 'pip'"],
    [['a b', 'c\nd'], "RUN a b 'c\\nd'"],
  ])('%j', (command, expected) => {
    expect(toRunCommand(command)).toBe(expected);
  });
});

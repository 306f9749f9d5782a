import { expect, it } from 'vitest';
import { parseJobVariables } from './job-variables.ts';

it('reads names with texts, and JSON', () => {
  const texts = ['a=b=c', '{"env": {"X": "1=2"}, "n": 1}', 'empty=', '__proto__=x'];
  expect(Object.entries(parseJobVariables(texts))).toEqual([
    ['a', 'b=c'],
    ['env', { X: '1=2' }],
    ['n', 1],
    ['empty', ''],
    ['__proto__', 'x'],
  ]);
});

it.each(['a', '=b', '{"a"', '{a: 1}', '["a"]'])('refuses %s', (text) => {
  expect(() => parseJobVariables([text])).toThrowError(expect.objectContaining({ code: 'USAGE' }));
});

import { expect, it } from 'vitest';
import { pythonText } from './python-text.ts';

// What CPython 3.11's str() gives for the same values.
it.each([
  ['text', 'text'],
  [true, 'True'],
  [null, 'None'],
  [1.5, '1.5'],
  [['a', 1, null, false], "['a', 1, None, False]"],
  [{ k: 'v', "it's": [{}] }, `{'k': 'v', "it's": [{}]}`],
  [[`it's "x"`], `['it\\'s "x"']`],
  [['a\nb\t\\\u0007\u00a0é😀\u200b'], "['a\\nb\\t\\\\\\x07\\xa0é😀\\u200b']"],
  [[], '[]'],
])('%j', (value, text) => {
  expect(pythonText(value)).toBe(text);
});

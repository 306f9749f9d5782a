import { describe, expect, it } from 'vitest';
import { BoxwrightError, closestMatch, escapeForTerminal, isBoxwrightError, UsageError } from './index.ts';

describe('BoxwrightError', () => {
  it('keeps code, hint, details and cause', () => {
    const cause = new Error('below');
    const error = new BoxwrightError('BLOB_CORRUPT', 'blob is corrupt', {
      hint: 'load it again',
      cause,
      details: { size: 3 },
    });
    expect(error).toMatchObject({ code: 'BLOB_CORRUPT', hint: 'load it again', cause, details: { size: 3 } });
    expect(isBoxwrightError(error)).toBe(true);
    expect(isBoxwrightError(cause)).toBe(false);
    expect(new UsageError('x').code).toBe('USAGE');
  });
});

describe('escapeForTerminal', () => {
  it.each([
    ['plain – 中文', 'plain – 中文'],
    ['\u001b]52;c;aGk=\u0007', '\\x1b]52;c;aGk=\\x07'],
    ['a\u202eb\u009bc', 'a\\u202eb\\x9bc'],
    ['line\nnext\ttab', 'line\\nnext\\ttab'],
    ['\ud800x 😀', '\\ud800x 😀'],
  ])('%j', (input, output) => {
    expect(escapeForTerminal(input)).toBe(output);
  });
});

describe('closestMatch', () => {
  it.each([
    ['RNU', 'RUN'],
    ['COPPY', 'COPY'],
    ['entrypiont', 'ENTRYPOINT'],
    ['BANANA', undefined],
  ])('%s', (word, expected) => {
    expect(closestMatch(word, ['RUN', 'COPY', 'ENTRYPOINT', 'ADD'])).toBe(expected);
  });
});

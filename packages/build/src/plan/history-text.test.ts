import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goDuration, goHealthcheck, goList, goQuote, goQuotedList, runCommandText } from './history-text.ts';

describe('goQuote', () => {
  // What strconv.Quote of Go 1.25 prints.
  it.each([
    ['', '""'],
    ['plain', '"plain"'],
    ['é 中文 😀', '"é 中文 😀"'],
    ['"\\', '"\\"\\\\"'],
    ["it's `", '"it\'s `"'],
    ['\u0007\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['\u0000\u001b\u007f', '"\\x00\\x1b\\x7f"'],
    ['\u0080\u009f\u00a0\u00ad', '"\\u0080\\u009f\\u00a0\\u00ad"'],
    ['\u200b\u202e\u2028\ufeff', '"\\u200b\\u202e\\u2028\\ufeff"'],
    ['\ue000\u{e0001}\u{10ffff}', '"\\ue000\\U000e0001\\U0010ffff"'],
    ['\ufffd', '"\ufffd"'],
    ['e\u0301', '"e\u0301"'],
    ['\u3000', '"\\u3000"'],
    ['<&>', '"<&>"'],
  ])('%j', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });

  it('keeps texts apart and can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const quoted = goQuote(text);
        expect(unquote(quoted)).toBe(text);
        expect(quoted).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
    );
  });
});

describe('lists', () => {
  it('prints as %v and %q do', () => {
    expect(goList([])).toBe('[]');
    expect(goList(['a b', 'c'])).toBe('[a b c]');
    expect(goQuotedList([])).toBe('[]');
    expect(goQuotedList(['a b', '"'])).toBe('["a b" "\\""]');
  });
});

describe('goDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ns'],
    [1100, '1.1µs'],
    [999_999, '999.999µs'],
    [1_000_000, '1ms'],
    [2_200_000, '2.2ms'],
    [999_999_999, '999.999999ms'],
    [1e9, '1s'],
    [1.5e9, '1.5s'],
    [10e9, '10s'],
    [60e9, '1m0s'],
    [90e9, '1m30s'],
    [3_600e9, '1h0m0s'],
    [3_723.5e9, '1h2m3.5s'],
    [100 * 3_600e9, '100h0m0s'],
    [59_999_999_999, '59.999999999s'],
    [300_001_000_000, '5m0.001s'],
    [-1.5e9, '-1.5s'],
  ])('%d ns', (nanoseconds, text) => {
    expect(goDuration(nanoseconds)).toBe(text);
  });
});

describe('goHealthcheck', () => {
  // As Docker 28 with BuildKit writes it: the number is quoted like a character.
  it.each([
    [0, "'\\x00'"],
    [3, "'\\x03'"],
    [7, "'\\a'"],
    [10, "'\\n'"],
    [39, "'\\''"],
    [34, `'"'`],
    [65, "'A'"],
    [92, "'\\\\'"],
    [127, "'\\x7f'"],
    [233, "'é'"],
    [0x20_28, "'\\u2028'"],
    [0xd8_00, "'\ufffd'"],
    [0x11_00_00, "'\ufffd'"],
  ])('%d retries', (retries, text) => {
    const health = { intervalNs: 90e9, timeoutNs: 1.5e9, startPeriodNs: 0, startIntervalNs: 5e8, retries };
    expect(goHealthcheck({ ...health, test: ['CMD-SHELL', 'curl "x"'] })).toBe(
      `&{["CMD-SHELL" "curl \\"x\\""] "1m30s" "1.5s" "0s" "500ms" ${text}}`,
    );
  });
});

describe('runCommandText', () => {
  const none = (): undefined => undefined;

  it('has no prefix without ARGs', () => {
    expect(runCommandText(['/bin/sh', '-c', 'a  b'], [], none)).toBe('/bin/sh -c a  b');
  });

  it('counts each name once, where it was first declared, with the value in force and unquoted', () => {
    const declared = [
      { key: 'A', value: '1' },
      { key: 'B', value: undefined },
      { key: 'A', value: 'x y' },
      { key: 'C', value: 'c' },
    ];
    const values = new Map([
      ['A', 'x y'],
      ['C', 'of ENV'],
    ]);
    expect(runCommandText(['cmd'], declared, (name) => values.get(name))).toBe('|3 A=x y B= C=of ENV cmd');
  });
});

/** Reads the escapes that {@link goQuote} writes, with no more code in common than the table of Go's language. */
function unquote(quoted: string): string {
  const short: Readonly<Record<string, string>> = {
    a: '\u0007',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
    v: '\v',
    '"': '"',
    '\\': '\\',
  };
  return quoted
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g,
      (_, x?: string, u?: string, long?: string, c?: string) =>
        c === undefined ? String.fromCodePoint(Number.parseInt(x ?? u ?? long ?? '', 16)) : (short[c] ?? '?'),
    );
}

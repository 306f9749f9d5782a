import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, JsonNumber, type JsonValue } from './json.ts';
import { JsonSyntaxError, parseJson } from './json-parser.ts';
import { goJson, sortedObject } from './json-writer.ts';

const strict = { duplicateKeys: 'refuse', maxDepth: 64 } as const;
const parse = (text: string) => parseJson(Buffer.from(text), strict);

/** What JSON.parse would have given. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (isJsonObject(value)) {
    return Object.fromEntries(Array.from(value, ([key, member]) => [key, plain(member)]));
  }
  return typeof value === 'object' && value !== null ? value.map(plain) : value;
}

describe('parseJson', () => {
  it('agrees with JSON.parse on all JSON', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), (json, space) => {
        const text = JSON.stringify(JSON.parse(json), undefined, space);
        expect(plain(parse(text))).toEqual(JSON.parse(text.toWellFormed()));
      }),
    );
  });

  it('refuses what JSON.parse refuses, and never throws anything else', () => {
    const soup = fc.string({
      unit: fc.constantFrom(...'{}[]:,"\\/0123456789.eE+-truefalsnl u\n'.split('')),
      maxLength: 30,
    });
    fc.assert(
      fc.property(soup, (text) => {
        let expected: unknown;
        let lawful = true;
        try {
          expected = JSON.parse(text);
        } catch {
          lawful = false;
        }
        try {
          const value = parseJson(Buffer.from(text), { ...strict, duplicateKeys: 'last' });
          expect(lawful).toBe(true);
          expect(plain(value)).toEqual(expected);
        } catch (error) {
          if (!(error instanceof JsonSyntaxError)) throw error;
          expect(lawful && Number.isFinite(expected ?? 0)).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['\ufeff{}', 'byte order mark at offset 0'],
    ['{"a":1,"a":2}', 'duplicate key at offset 7'],
    ['{"a":1,"\\u0061":2}', 'duplicate key at offset 7'],
    ['1e400', 'too large'],
    ['-1e400', 'too large'],
    ['[1,]', 'not a value'],
    ['{"a":1,}', 'a key is missing'],
    ['{"a" 1}', 'a colon is missing'],
    ['{"a":1 "b":2}', 'a comma or } is missing'],
    ['{} {}', 'after the end'],
    ['', 'ends early'],
    ['"abc', 'does not end'],
    ['"a\nb"', 'an invalid string at offset 0'],
    ['"\\x41"', 'an invalid string'],
    ['NaN', 'not a value'],
    ['01', 'after the end'],
    ["{'a':1}", 'a key is missing'],
    ['/* */ {}', 'not a value'],
    ['nul', 'not a value'],
  ])('refuses %j', (text, why) => {
    expect(() => parse(text)).toThrow(why);
  });

  it('D5: refuses invalid UTF-8 and bounds the depth without recursing further', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), strict)).toThrow('invalid UTF-8');
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(plain(parse(nested(64)))).toEqual(JSON.parse(nested(64)));
    expect(() => parse(nested(65))).toThrow('more than 64 levels');
    expect(() => parse('{"a":'.repeat(1_000_000))).toThrow('more than 64 levels');
  });

  it('D6: keys of Object.prototype are keys', () => {
    const value = parse('{"__proto__":{"polluted":true},"constructor":1,"toString":2}');
    expect(isJsonObject(value) && [...value.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('takes the last of duplicate keys when asked', () => {
    expect(parseJson(Buffer.from('{"a":1,"a":2}'), { ...strict, duplicateKeys: 'last' })).toEqual(new Map([['a', 2]]));
  });

  it('keeps numbers as written', () => {
    for (const text of ['1.0', '1e3', '12345678901234567890', '-0', '0.1', '9007199254740991']) {
      expect(goJson(parse(text))).toBe(text);
    }
    expect(parse('12')).toBe(12);
    expect(parse('12.0')).toEqual(new JsonNumber('12.0'));
  });

  it('reads long strings with many escapes in linear time', () => {
    const text = JSON.stringify('\\"'.repeat(300_000));
    expect(parse(text)).toBe('\\"'.repeat(300_000));
  });
});

describe('goJson', () => {
  it.each([
    ['a && b > c', '"a \\u0026\\u0026 b \\u003e c"'],
    ['<x>', '"\\u003cx\\u003e"'],
    ['\u2028\u2029', '"\\u2028\\u2029"'],
    ['\b\f\n\r\t\u0000\u001f\u007f', '"\\b\\f\\n\\r\\t\\u0000\\u001f\u007f"'],
    ['"\\/', '"\\"\\\\/"'],
    ['中é😀', '"中é😀"'],
    ['\ud800', '"\ufffd"'],
  ])('escapes %j as Go does', (text, expected) => {
    expect(goJson(text)).toBe(expected);
  });

  it('indents as MarshalIndent', () => {
    const value = parse('{"a":[1,{"b":null}],"c":{},"d":[],"e":"x"}');
    expect(goJson(value, '  ')).toBe(JSON.stringify(plain(value), undefined, '  '));
    expect(goJson(value)).toBe('{"a":[1,{"b":null}],"c":{},"d":[],"e":"x"}');
  });

  it('is read back as the same value', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
        const value = parseJson(Buffer.from(JSON.stringify(JSON.parse(json))), strict);
        expect(parse(goJson(value))).toEqual(value);
        expect(parse(goJson(value, ' '))).toEqual(value);
      }),
    );
  });

  it('sorts map keys by bytes', () => {
    const keys = ['b', 'a', 'B', '\u{1f600}', '\uffee', 'é', ''];
    const sorted = [...sortedObject(keys.map((key) => [key, null])).keys()];
    expect(sorted).toEqual(['', 'B', 'a', 'b', 'é', '\uffee', '\u{1f600}']);
  });
});

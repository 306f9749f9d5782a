import { describe, expect, it } from 'vitest';
import { LogLines, safeLine } from './log-lines.ts';

describe('safeLine', () => {
  it.each([
    ['plain 文字', 'plain 文字'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['\u001b]52;c;aGk=\u0007copied', 'copied'],
    ['10%\r20%\r100%\r', '100%'],
    ['a\tb', 'a\tb'],
    ['bell\u0007 and \u202eevil', 'bell\\x07 and \\u202eevil'],
    ['\r', ''],
  ])('%j', (line, safe) => {
    expect(safeLine(line)).toBe(safe);
  });
});

describe('LogLines', () => {
  it('joins pieces into lines, also inside a character', () => {
    const lines = new LogLines();
    const bytes = Buffer.from('镜像\nsecond');
    expect(lines.push(bytes.subarray(0, 2))).toEqual([]);
    expect(lines.push(bytes.subarray(2, 9))).toEqual(['镜像']);
    expect(lines.push(bytes.subarray(9))).toEqual([]);
    expect(lines.end()).toBe('second');
    expect(lines.end()).toBeUndefined();
  });

  it('hands on an endless line in pieces', () => {
    const lines = new LogLines();
    expect(lines.push(Buffer.alloc(40_000, 'x')).map((line) => line.length)).toEqual([16_384, 16_384]);
    expect(lines.end()?.length).toBe(40_000 - 2 * 16_384);
  });

  it('shows bytes that are not UTF-8 as U+FFFD', () => {
    expect(new LogLines().push(Buffer.from([0xff, 0x41, 0x0a]))).toEqual(['\ufffdA']);
  });
});

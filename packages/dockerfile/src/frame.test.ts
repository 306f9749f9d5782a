import { describe, expect, it } from 'vitest';
import { renderFrame } from './frame.ts';
import { createSource } from './source.ts';

function frame(text: string, line: number, column: number, endColumn: number, endLine: number = line): string {
  const range = { start: { line, column }, end: { line: endLine, column: endColumn } };
  return renderFrame(createSource('Dockerfile', text), range, 'wrong');
}

describe('renderFrame', () => {
  it('shows the line before and a caret at the column', () => {
    expect(frame('FROM alpine\nRNU echo hi\nUSER a\n', 2, 1, 4)).toBe(
      ['Dockerfile:2', '   1 |     FROM alpine', '   2 | >>> RNU echo hi', '     |     ^^^ wrong'].join('\n'),
    );
  });

  it('aligns behind tabs and wide characters', () => {
    const [, line = '', caret = ''] = frame('\t中 x', 1, 4, 5).split('\n');
    expect(line).toBe('   1 | >>>     中 x');
    // The tab takes four columns, the character two.
    expect(caret).toBe(`     |     ${' '.repeat(7)}^ wrong`);
  });

  it('marks further lines of a range', () => {
    expect(frame('FROM a\nRUN b \\\n  c\n', 2, 5, 4, 3).split('\n')).toEqual([
      'Dockerfile:2',
      '   1 |     FROM a',
      '   2 | >>> RUN b \\',
      '     |         ^^^ wrong',
      '   3 | >>>   c',
    ]);
  });

  it('escapes controls, and cuts long lines around the caret', () => {
    expect(frame('a\u001b[31mb', 1, 1, 2)).toContain('a\\x1b[31mb');
    const long = `${'a'.repeat(5000)}XYZ${'b'.repeat(5000)}`;
    const [, line = '', caret = ''] = frame(long, 1, 5001, 5004).split('\n');
    expect(line.length).toBeLessThan(200);
    expect(line.slice(caret.indexOf('^'), caret.indexOf('^') + 3)).toBe('XYZ');
  });

  it('survives places outside of the text', () => {
    expect(frame('', 1, 1, 1)).toContain('^ wrong');
    expect(frame('a', 9, 9, 9)).toContain('Dockerfile:9');
  });
});

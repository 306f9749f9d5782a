import type { Position } from './instructions.ts';

/** Text that positions point into, with the start of each line. */
export interface Source {
  /** Name for messages. */
  readonly file: string;
  readonly text: string;
  /** Offset of each line's first character. A line break at the very end starts no line. */
  readonly lineStarts: readonly number[];
}

export function createSource(file: string, text: string): Source {
  const lineStarts: number[] = [];
  let start = 0;
  while (start < text.length) {
    lineStarts.push(start);
    const feed = text.indexOf('\n', start);
    start = feed === -1 ? text.length : feed + 1;
  }
  return { file, text, lineStarts };
}

/** Offset just after the last character of line `index` (from 0), its line break not counted. */
export function lineEnd(source: Source, index: number): number {
  const next = source.lineStarts[index + 1] ?? source.text.length;
  let end = next;
  const start = source.lineStarts[index] ?? 0;
  while (end > start && (source.text.charCodeAt(end - 1) === 0x0a || source.text.charCodeAt(end - 1) === 0x0d)) end--;
  return end;
}

/** Line `index` (from 0) without its line break; empty when there is none. */
export function lineText(source: Source, index: number): string {
  const start = source.lineStarts[index];
  return start === undefined ? '' : source.text.slice(start, lineEnd(source, index));
}

/** Line and column of an offset. */
export function positionAt(source: Source, offset: number): Position {
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (source.lineStarts[low] ?? 0) + 1 };
}

/** A place in a file: 1-based line, 1-based column counted in UTF-16 units of that line. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Text that positions point into, with the start of each line. */
export interface Source {
  /** Name for messages, as the user gave it. */
  readonly file: string;
  readonly text: string;
  /** Offset of each line's first character. */
  readonly lineStarts: readonly number[];
}

/** From the first character up to, not including, `end`. Knows its file, so that an error can be made from it alone. */
export interface SourceRange {
  readonly source: Source;
  readonly start: Position;
  readonly end: Position;
}

/** A value and where it is written. */
export interface Positioned<T> {
  readonly value: T;
  readonly range: SourceRange;
}

export function createSource(file: string, text: string): Source {
  const lineStarts = [0];
  for (let feed = text.indexOf('\n'); feed !== -1; feed = text.indexOf('\n', feed + 1)) lineStarts.push(feed + 1);
  return { file, text, lineStarts };
}

/** The range between two offsets, `end` not included. Offsets outside of the text are moved to its ends. */
export function rangeAt(source: Source, start: number, end: number = start): SourceRange {
  return { source, start: positionAt(source, start), end: positionAt(source, Math.max(start, end)) };
}

/** Line and column of an offset. */
export function positionAt(source: Source, offset: number): Position {
  const wanted = Math.max(0, Math.min(offset, source.text.length));
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= wanted) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: wanted - (source.lineStarts[low] ?? 0) + 1 };
}

/** The offset of a position that {@link positionAt} gave. */
export function offsetOf(source: Source, position: Position): number {
  return (source.lineStarts[position.line - 1] ?? source.text.length) + position.column - 1;
}

/** Line `number` (from 1) without its line break; empty when there is none. */
export function lineText(source: Source, number: number): string {
  const start = source.lineStarts[number - 1];
  if (start === undefined) return '';
  const end = source.lineStarts[number] ?? source.text.length + 1;
  return source.text.slice(start, end - 1).replace(/\r$/, '');
}

import { isSpace, skipSpace } from './go-space.ts';
import type { Position, SourceRange } from './instructions.ts';
import { lineEnd, positionAt, type Source } from './source.ts';

/** Where a piece of a joined line comes from. */
interface Segment {
  /** Offset in the joined text. */
  readonly joined: number;
  /** Offset in the source text. */
  readonly source: number;
  readonly length: number;
}

/** An instruction's line with its continuation lines joined, as BuildKit stores it. */
export interface LogicalLine {
  readonly text: string;
  readonly segments: readonly Segment[];
  /** First and last line, from 0. */
  readonly firstLine: number;
  lastLine: number;
  /** Lines (from 0) that were empty inside the continuation: allowed, but warned about. */
  readonly emptyLines: readonly number[];
}

/**
 * Reads the instruction that starts on line `index` (known to hold something else than white space or a comment).
 *
 * A line continues when its last character that is no blank or tab is the escape character, and the character before that is
 * not the escape character: an even number of them does not continue, and, BuildKit's known limit, neither do three.
 * Comment lines and empty lines inside a continuation are dropped; indentation is kept.
 */
export function readLogicalLine(source: Source, index: number, escape: string): LogicalLine {
  const segments: Segment[] = [];
  const emptyLines: number[] = [];
  let text = '';
  let line = index;
  for (let first = true; line < source.lineStarts.length; line++, first = false) {
    let start = source.lineStarts[line] ?? 0;
    const end = lineEnd(source, line);
    const content = source.text.slice(start, end);
    const indent = skipSpace(content, 0);
    if (!first && content.charCodeAt(indent) === 0x23) continue;
    if (!first && indent === content.length) {
      emptyLines.push(line);
      continue;
    }
    const cut = continuationCut(content, escape);
    const from = first ? indent : 0;
    start += from;
    const piece = content.slice(from, cut ?? content.length);
    segments.push({ joined: text.length, source: start, length: piece.length });
    text += piece;
    if (cut === undefined) break;
  }
  const lastLine = Math.min(line, source.lineStarts.length - 1);
  return { text, segments, firstLine: index, lastLine, emptyLines };
}

/** Length of the line without its continuation mark; undefined when it does not continue. */
function continuationCut(line: string, escape: string): number | undefined {
  let end = line.length;
  while (end > 0 && (line.charCodeAt(end - 1) === 0x20 || line.charCodeAt(end - 1) === 0x09)) end--;
  if (end === 0 || line[end - 1] !== escape) return undefined;
  return end >= 2 && line[end - 2] === escape ? undefined : end - 1;
}

/** True for a line that holds nothing or a comment. */
export function isBlankOrComment(source: Source, index: number): boolean {
  const start = source.lineStarts[index] ?? 0;
  const end = lineEnd(source, index);
  for (let offset = start; offset < end; offset++) {
    const code = source.text.charCodeAt(offset);
    if (!isSpace(code)) return code === 0x23;
  }
  return true;
}

/** Source range of a piece of the joined text; its end stays on the line of its last character. */
export function joinedRange(source: Source, line: LogicalLine, start: number, end: number): SourceRange {
  const from = sourceOffset(line, start);
  const to = end <= start ? from : sourceOffset(line, end - 1) + 1;
  return { start: positionAt(source, from), end: endPosition(source, to) };
}

function sourceOffset(line: LogicalLine, offset: number): number {
  let last: Segment | undefined;
  for (const segment of line.segments) {
    if (segment.joined > offset) break;
    last = segment;
  }
  return last === undefined ? 0 : last.source + Math.min(offset - last.joined, last.length);
}

/** The whole instruction, heredoc bodies included. */
export function instructionRange(source: Source, line: LogicalLine): SourceRange {
  const start = line.segments[0]?.source ?? 0;
  const lastStart = source.lineStarts[line.lastLine] ?? 0;
  return {
    start: positionAt(source, start),
    end: { line: line.lastLine + 1, column: lineEnd(source, line.lastLine) - lastStart + 1 },
  };
}

/** The source text of the whole instruction as written. */
export function instructionText(source: Source, line: LogicalLine): string {
  return source.text.slice(line.segments[0]?.source ?? 0, lineEnd(source, line.lastLine));
}

/** The position after a character, kept on that character's line. */
function endPosition(source: Source, offset: number): Position {
  if (offset === 0) return { line: 1, column: 1 };
  const position = positionAt(source, offset - 1);
  return { line: position.line, column: position.column + 1 };
}

/** A line of a heredoc body with its line feed (a CRLF keeps both), as BuildKit stores it. */
export function rawLine(source: Source, index: number): string {
  const start = source.lineStarts[index] ?? 0;
  return source.text.slice(start, source.lineStarts[index + 1] ?? source.text.length);
}

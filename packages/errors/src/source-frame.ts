import { escapeForTerminal } from './escape.ts';

/** Lines longer than this are shown as a window around the caret. */
const maxWidth = 160;

/** 1-based line, 1-based column in UTF-16 units. */
interface FramePosition {
  readonly line: number;
  readonly column: number;
}

/** A place in a text, for {@link sourceFrame}. */
export interface FramedRange {
  /** Name for messages. */
  readonly file: string;
  readonly start: FramePosition;
  /** Just after the last character. */
  readonly end: FramePosition;
  /** A line, from 1, without its line break; empty when there is none. */
  readonly line: (number: number) => string;
}

/**
 * The place of an error as BuildKit shows it: the line before, the lines of the range marked with `>>>`, and a caret line.
 * Escaped for terminals.
 *
 *     Dockerfile:3
 *        2 |     FROM alpine
 *        3 | >>> RNU echo hi
 *          |     ^^^ unknown instruction: RNU (did you mean RUN?)
 *
 * @param maxLines a range of more lines is cut after so many; the caret's line is the first
 */
export function sourceFrame(range: FramedRange, reason: string, maxLines = 1): string {
  const first = range.start.line;
  const last = Math.max(first, Math.min(range.end.line, first + maxLines - 1));
  const width = Math.max(4, String(last).length + 1);
  const out = [`${escapeForTerminal(range.file)}:${first}`];
  if (first > 1) out.push(`${String(first - 1).padStart(width)} |     ${clip(range.line(first - 1), 0).text}`);
  const line = range.line(first);
  const startColumn = Math.min(range.start.column - 1, line.length);
  const endColumn = range.end.line > first ? line.length : Math.min(range.end.column - 1, line.length);
  const shown = clip(line, startColumn);
  out.push(`${String(first).padStart(width)} | >>> ${shown.text}`);
  const before = visibleWidth(shown.lead + display(line.slice(shown.from, startColumn)));
  const marked = visibleWidth(display(line.slice(startColumn, Math.min(endColumn, shown.to))));
  const caret = '^'.repeat(Math.max(1, Math.min(marked, maxWidth)));
  out.push(`${' '.repeat(width)} |     ${' '.repeat(before)}${caret} ${escapeForTerminal(reason)}`);
  for (let number = first + 1; number <= last; number++) {
    out.push(`${String(number).padStart(width)} | >>> ${clip(range.line(number), 0).text}`);
  }
  return out.join('\n');
}

interface Clipped {
  readonly text: string;
  readonly lead: string;
  readonly from: number;
  readonly to: number;
}

/** At most {@link maxWidth} characters of a line, `focus` among them. */
function clip(line: string, focus: number): Clipped {
  if (line.length <= maxWidth) return { text: display(line), lead: '', from: 0, to: line.length };
  const from = Math.max(0, Math.min(focus - 40, line.length - maxWidth));
  const to = from + maxWidth;
  const lead = from > 0 ? '…' : '';
  return { text: `${lead}${display(line.slice(from, to))}${to < line.length ? '…' : ''}`, lead, from, to };
}

/** Escaped for terminals; a tab becomes blanks so that the caret below can be placed. */
function display(text: string): string {
  return escapeForTerminal(text.replaceAll('\t', '    '));
}

/** Terminal columns of escaped text: East Asian wide characters and emoji take two. */
function visibleWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

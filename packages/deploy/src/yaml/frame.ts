import { escapeForTerminal } from '@boxwright/errors';
import { lineText, type SourceRange } from './source.ts';

/** Lines longer than this are shown as a window around the caret. */
const maxWidth = 160;

/**
 * The place of an error, in the form that errors in Dockerfiles have: the line before, the line itself, and a caret line.
 * Escaped for terminals.
 *
 *     boxwright.yaml:3
 *        2 |     - boxwright.build_image:
 *        3 | >>>     image_nam: app
 *          |         ^^^^^^^^^ unknown parameter image_nam
 */
export function renderFrame(range: SourceRange, reason: string): string {
  const { source, start, end } = range;
  const width = Math.max(4, String(start.line).length + 1);
  const out = [`${escapeForTerminal(source.file)}:${start.line}`];
  if (start.line > 1) {
    out.push(`${String(start.line - 1).padStart(width)} |     ${display(lineText(source, start.line - 1), 0).text}`);
  }
  const line = lineText(source, start.line);
  const from = Math.min(start.column - 1, line.length);
  const to = end.line > start.line ? line.length : Math.min(end.column - 1, line.length);
  const shown = display(line, from);
  out.push(`${String(start.line).padStart(width)} | >>> ${shown.text}`);
  const before = columns(shown.lead + escaped(line.slice(shown.from, from)));
  const marked = Math.max(1, columns(escaped(line.slice(from, Math.min(to, shown.to)))));
  out.push(`${' '.repeat(width)} |     ${' '.repeat(before)}${'^'.repeat(marked)} ${escapeForTerminal(reason)}`);
  return out.join('\n');
}

/** At most {@link maxWidth} characters of a line, `focus` among them. */
function display(line: string, focus: number): { text: string; lead: string; from: number; to: number } {
  if (line.length <= maxWidth) return { text: escaped(line), lead: '', from: 0, to: line.length };
  const from = Math.max(0, Math.min(focus - 40, line.length - maxWidth));
  const to = from + maxWidth;
  const lead = from > 0 ? '…' : '';
  return { text: `${lead}${escaped(line.slice(from, to))}${to < line.length ? '…' : ''}`, lead, from, to };
}

/** A tab becomes blanks, so that the caret below can be placed. */
function escaped(text: string): string {
  return escapeForTerminal(text.replaceAll('\t', '    '));
}

/** Terminal columns: East Asian wide characters and emoji take two. */
function columns(text: string): number {
  const wide = text.match(
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu,
  );
  return Array.from(text).length + (wide?.length ?? 0);
}

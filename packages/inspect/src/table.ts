import { escapeForTerminal } from '@boxwright/errors';
import { displayWidth, padToWidth } from './display-width.ts';

/**
 * Rows under a header line, columns three blanks apart as Docker prints them. Every cell is escaped, so names from
 * images cannot steer the terminal. Ends with a newline.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows.map((row) => row.map(escapeForTerminal))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ''))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

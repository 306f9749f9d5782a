import { collapseBlanks } from '../instructions/read-history.ts';
import type { Language } from '../labels/language.ts';
import type { PageRow } from '../page/page.ts';

/** The `id` of the element of a row. */
export function rowId(row: PageRow): string {
  return row.entry === undefined ? `layer-${row.layer?.index ?? 0}` : `row-${row.entry}`;
}

/** The kinds of rows that a page tells apart by colour. */
export type RowTone = 'run' | 'copy' | 'meta' | 'other';

/** What a row does: commands and copies make layers; settings do not; the rest is what no instruction explains. */
export function rowTone({ instruction }: PageRow): RowTone {
  if (instruction === undefined) return 'other';
  const { kind } = instruction;
  if (kind === 'RUN') return 'run';
  return kind === 'COPY' || kind === 'ADD' ? 'copy' : 'meta';
}

/** What a row did in one line, short enough for what appears when it is pointed at. */
export function shortText({ text, label, instruction }: PageRow, language: Language): string {
  const plain = instruction?.kind === 'RUN' ? `RUN ${collapseBlanks(instruction.command)}` : text;
  const whole = plain === '' ? (label?.[language] ?? '') : plain.replace(/ # buildkit$/, '');
  return whole.length > 200 ? `${whole.slice(0, 200)}…` : whole;
}

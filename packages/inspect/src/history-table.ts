import { createdAgo } from './ago.ts';
import { truncateToWidth } from './display-width.ts';
import type { HistoryRow } from './history-rows.ts';
import { formatSizeShort } from './size.ts';
import { formatTable } from './table.ts';

/** Columns that `docker history` gives to CREATED BY. */
const createdByColumns = 45;

/** How {@link historyTable} prints. */
export interface HistoryTableOptions {
  /** Milliseconds since 1970 that `CREATED` is relative to. */
  readonly now: number;
  /** Print times and instructions in full. */
  readonly noTruncate?: boolean;
}

/** The rows as `boxwright history` prints them. Runs of white space in an instruction become one blank. */
export function historyTable(rows: readonly HistoryRow[], options: HistoryTableOptions): string {
  const full = options.noTruncate === true;
  return formatTable(
    ['CREATED', 'CREATED BY', 'SIZE', 'COMMENT'],
    rows.map((row) => {
      const createdBy = row.createdBy.replace(/\s+/g, ' ').trim();
      return [
        full ? (row.created ?? 'N/A') : createdAgo(row.created, options.now),
        full ? createdBy : truncateToWidth(createdBy, createdByColumns, '…'),
        formatSizeShort(row.size),
        row.comment,
      ];
    }),
  );
}

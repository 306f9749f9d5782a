/** A line of a picture, and whether what it shows is still going on. */
export interface FrameRow {
  readonly text: string;
  readonly running: boolean;
}

/** Leaves out finished rows from the top, then any rows from the top, until the rest fits into `room` lines. */
export function fitRows(rows: readonly FrameRow[], room: number): string[] {
  let excess = rows.length - room;
  if (excess <= 0) return rows.map((row) => row.text);
  const kept = rows.filter((row) => row.running || excess-- <= 0);
  return kept.slice(Math.max(0, kept.length - room)).map((row) => row.text);
}

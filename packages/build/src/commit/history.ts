import type { HistoryRow } from '../plan/image-state.ts';

/** Comment of rows for layers that no instruction stands for (BuildKit's exporter). */
const EXPORTER_COMMENT = 'buildkit.exporter.image.v0';

/**
 * Gives every row a time, by BuildKit's rule (exporter `normalizeLayersAndHistory`): rows with a layer have the layer's;
 * the untimed ones take the time of the first layer made after them, later ones that of the layer before.
 *
 * @param layers how many layers the image has; rows are added or made empty until both agree
 */
export function completeHistory(rows: readonly HistoryRow[], layers: number): readonly HistoryRow[] {
  const balanced = balance(rows, layers);
  let created: string | undefined;
  let isUntimedSeen = false;
  for (const row of balanced) {
    if (row.created === undefined) isUntimedSeen = true;
    else {
      created = row.created;
      if (isUntimedSeen) break;
    }
  }
  isUntimedSeen = false;
  return balanced.map((row) => {
    if (row.created !== undefined) {
      if (isUntimedSeen) created = row.created;
      return row;
    }
    isUntimedSeen = true;
    return created === undefined ? row : { ...row, created };
  });
}

/** Images made by other tools may have too few or too many rows with a layer: rows are added at the end, or emptied there. */
function balance(rows: readonly HistoryRow[], layers: number): readonly HistoryRow[] {
  let left = layers;
  const accounted = rows.map((row) => {
    if (row.emptyLayer) return row;
    return left-- > 0 ? row : { ...row, emptyLayer: true };
  });
  const missing = Array.from({ length: Math.max(0, left) }, () => ({
    createdBy: 'created by buildkit',
    comment: EXPORTER_COMMENT,
    emptyLayer: false,
  }));
  return [...accounted, ...missing];
}

import { pairLayers } from './page/pair-layers.ts';

/** The part of an image config's `history` that rows are made from (OCI image-spec config.md "history"). */
export interface HistorySource {
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly emptyLayer?: boolean;
}

/** One line of `boxwright history`. */
export interface HistoryRow {
  /**
   * Id of the image that this row ends: its config's digest. Of the newest row only: an image does not say which images
   * it was made from. `docker history` prints `<missing>` for the others, unless the engine made them itself.
   */
  readonly id?: string;
  /** RFC 3339, as stored. */
  readonly created: string | undefined;
  /** As stored: may hold newlines and runs of blanks. */
  readonly createdBy: string;
  /** Uncompressed bytes of the row's layer; 0 for a row without one. */
  readonly size: number;
  readonly comment: string;
  readonly emptyLayer: boolean;
  /** Index into the manifest's layers, base first; absent for a row without layer. */
  readonly layer?: number;
}

/**
 * History rows, newest first. Rows that are not `empty_layer` take the layers in order; layers left over (hand-made
 * configs, history left out) become rows without instruction, newest of all; a row that finds no layer left is empty.
 *
 * @param id of the image: goes to the newest row
 */
export function historyRows(
  history: readonly HistorySource[],
  layerSizes: readonly number[],
  id?: string,
): HistoryRow[] {
  const { layerOfEntry, layersWithoutRow } = pairLayers(history, layerSizes.length);
  const rows = history.map((entry, index) => row(entry, layerOfEntry[index], layerSizes));
  for (const layer of layersWithoutRow) rows.push(row({}, layer, layerSizes));
  const [newest, ...older] = rows.reverse();
  if (newest === undefined) return [];
  return [id === undefined ? newest : { id, ...newest }, ...older];
}

function row(entry: HistorySource, layer: number | undefined, sizes: readonly number[]): HistoryRow {
  return {
    created: entry.created,
    createdBy: entry.createdBy ?? '',
    size: layer === undefined ? 0 : (sizes[layer] ?? 0),
    comment: entry.comment ?? '',
    emptyLayer: layer === undefined,
    ...(layer === undefined ? {} : { layer }),
  };
}

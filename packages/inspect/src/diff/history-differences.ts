import type { Digest } from '@boxwright/oci';
import { collapseBlanks } from '../instructions/read-history.ts';
import { pairLayers } from '../page/pair-layers.ts';
import { align } from './align.ts';
import type { DiffedRow, HistoryDifferences, RowDifference } from './model.ts';
import type { ShownConfig } from './setting-differences.ts';

/** A history with the layers that its rows made. */
export interface ShownHistory extends ShownConfig {
  /** Uncompressed bytes, base first; undefined for a layer that has not been read. */
  readonly layerSizes: readonly (number | undefined)[];
}

/** Aligns two histories by their instructions and says what is new, gone, or has made another layer. */
export function historyDifferences(before: ShownHistory, after: ShownHistory): HistoryDifferences {
  const [left, right] = [rowsOf(before), rowsOf(after)];
  const rows: RowDifference[] = [];
  let equal = 0;
  let otherTimes = 0;
  for (const pair of align(
    left.map(({ key }) => key),
    right.map(({ key }) => key),
  )) {
    const one = pair.before === undefined ? undefined : left[pair.before];
    const other = pair.after === undefined ? undefined : right[pair.after];
    if (one === undefined && other !== undefined) rows.push({ change: 'added', after: shownRow(other, after) });
    else if (one !== undefined && other === undefined) rows.push({ change: 'removed', before: shownRow(one, before) });
    else if (one !== undefined && other !== undefined) {
      if (one.diffId !== other.diffId) {
        rows.push({ change: 'rebuilt', before: shownRow(one, before), after: shownRow(other, after) });
        continue;
      }
      equal++;
      if (one.created !== other.created) otherTimes++;
    }
  }
  return { equal, otherTimes, rows };
}

interface Row {
  readonly entry: number;
  readonly key: string;
  readonly created: string | undefined;
  readonly layer: number | undefined;
  readonly diffId: Digest | undefined;
}

function rowsOf({ config }: ShownHistory): Row[] {
  const { diffIds } = config.rootfs;
  const { layerOfEntry } = pairLayers(config.history, diffIds.length);
  return config.history.map(({ createdBy = '', created, emptyLayer }, entry) => {
    const layer = layerOfEntry[entry];
    return {
      entry,
      key: `${emptyLayer === true} ${createdBy}`,
      created,
      layer,
      diffId: layer === undefined ? undefined : diffIds[layer],
    };
  });
}

function shownRow({ entry, layer, diffId }: Row, { config, redactor, layerSizes }: ShownHistory): DiffedRow {
  const text = collapseBlanks(config.history[entry]?.createdBy ?? '');
  const size = layer === undefined ? undefined : layerSizes[layer];
  return {
    entry,
    text: redactor?.text(text) ?? text,
    ...(diffId === undefined ? {} : { diffId }),
    ...(size === undefined ? {} : { size }),
  };
}

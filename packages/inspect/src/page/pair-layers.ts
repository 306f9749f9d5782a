/** Which layer each history entry made. */
export interface LayerPairing {
  /** For each entry, oldest first: the position of its layer, base first; undefined for none. */
  readonly layerOfEntry: readonly (number | undefined)[];
  /** Layers that no entry is left for: the newest ones. */
  readonly layersWithoutRow: readonly number[];
  /** Entries that say they have a layer, and no layer is left. */
  readonly rowsWithoutLayer: readonly number[];
}

/**
 * OCI image-spec config.md "history": entries that are not `empty_layer` take the layers in order. Hand-made configs
 * and tools that leave history out have too few entries or too many.
 */
export function pairLayers(history: readonly { readonly emptyLayer?: boolean }[], layerCount: number): LayerPairing {
  let next = 0;
  const rowsWithoutLayer: number[] = [];
  const layerOfEntry = history.map(({ emptyLayer }, entry) => {
    if (emptyLayer === true) return undefined;
    if (next < layerCount) return next++;
    rowsWithoutLayer.push(entry);
    return undefined;
  });
  const layersWithoutRow = Array.from({ length: layerCount - next }, (_, index) => next + index);
  return { layerOfEntry, layersWithoutRow, rowsWithoutLayer };
}

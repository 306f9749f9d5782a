import type { ShownHistory } from './history-differences.ts';
import type { DiffedLayer, LayerDifferences } from './model.ts';

/** Which layers two images have in common, by diffID: however they are compressed, their files are the same. */
export function layerDifferences(before: ShownHistory, after: ShownHistory): LayerDifferences {
  const [left, right] = [before.config.rootfs.diffIds, after.config.rootfs.diffIds];
  let sharedBase = 0;
  while (sharedBase < Math.min(left.length, right.length) && left[sharedBase] === right[sharedBase]) sharedBase++;
  const onlyBefore = without(before, new Set(right));
  return {
    sharedBase,
    shared: left.length - onlyBefore.length,
    onlyBefore,
    onlyAfter: without(after, new Set(left)),
  };
}

function without({ config, layerSizes }: ShownHistory, others: ReadonlySet<string>): DiffedLayer[] {
  return config.rootfs.diffIds.flatMap((diffId, index): DiffedLayer[] => {
    if (others.has(diffId)) return [];
    const size = layerSizes[index];
    return [{ index, diffId, ...(size === undefined ? {} : { size }) }];
  });
}

import { compareConfigs } from './compare-configs.ts';
import { compareLayers } from './compare-layers.ts';
import type { ImageSummary } from './summary.ts';

/** What a comparison leaves out, with the reason in the case that asks for it. */
export interface CompareOptions {
  /** Texts; a difference whose line starts with one of them is left out. */
  readonly ignore?: readonly string[];
}

/**
 * Every difference between two images that the same Dockerfile and context should have made equal, one readable line
 * each; empty when they are equal.
 *
 * What may differ: times of the build itself (only their pattern is compared, see `time-classes.ts`), layer digests (they
 * follow from those times), and directories that a layer repeats unchanged from the layers below.
 */
export function compareImages(expected: ImageSummary, actual: ImageSummary, options: CompareOptions = {}): string[] {
  const differences = [...compareConfigs(expected, actual), ...compareLayers(expected, actual)];
  return differences.filter((line) => !(options.ignore ?? []).some((prefix) => line.startsWith(prefix)));
}

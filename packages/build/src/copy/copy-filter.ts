import { createPatternMatcher } from '@boxwright/dockerfile';

/** What happens to an entry below a copied directory: taken, looked into for others, or left out with all below. */
export type CopyVerdict = 'take' | 'descend' | 'skip';

/** Decides by the path below the copied source. */
export type CopyFilter = (path: string, isDirectory: boolean) => CopyVerdict;

/**
 * The filter of `COPY --parents` (include) and `--exclude`; undefined when everything is taken. Both kinds of patterns
 * follow moby/patternmatcher, as in BuildKit's fsutil.
 */
export function copyFilter(include: readonly string[], exclude: readonly string[]): CopyFilter | undefined {
  if (include.length === 0 && exclude.length === 0) return undefined;
  const included =
    include.length === 0
      ? undefined
      : createPatternMatcher(include.map((text) => ({ text, origin: 'COPY --parents' })));
  const excluded =
    exclude.length === 0 ? undefined : createPatternMatcher(exclude.map((text) => ({ text, origin: '--exclude' })));
  return (path, isDirectory) => {
    const isExcluded = excluded?.matches(path) ?? false;
    if (!isExcluded && (included?.matches(path) ?? true)) return 'take';
    if (!isDirectory) return 'skip';
    const mayHold = (included?.mayMatchBelow(path) ?? true) && (!isExcluded || (excluded?.mayReinclude(path) ?? false));
    return mayHold ? 'descend' : 'skip';
  };
}

import { cleanPath } from './clean-path.ts';
import { GlobProgram } from './glob-program.ts';
import { parseMatchPattern } from './glob-tokens.ts';

/** The wildcard part of a COPY source. */
export interface CopyPattern {
  /** True when the path, relative to the directory the pattern starts in, is matched as a whole. */
  matches(path: string): boolean;
  /** True when something below that directory may be matched. */
  mayMatchBelow(directory: string): boolean;
}

/** True when a path holds `*`, `?` or `[` that no backslash escapes. */
export function hasWildcard(path: string): boolean {
  for (let index = 0; index < path.length; index++) {
    const character = path[index];
    if (character === '\\') index++;
    else if (character === '*' || character === '?' || character === '[') return true;
  }
  return false;
}

/**
 * Splits a source at its first component with a wildcard: where to look, and the pattern for what is there. The pattern is
 * empty when there is no wildcard; the path is then taken literally, backslashes included.
 */
export function splitWildcard(source: string): { readonly base: string; readonly pattern: string } {
  const cleaned = cleanPath(source);
  const parts = cleaned.split('/');
  const first = parts.findIndex(hasWildcard);
  if (first === -1) return { base: cleaned, pattern: '' };
  const base = parts.slice(0, first).join('/');
  return { base: base === '' && cleaned.startsWith('/') ? '/' : base, pattern: parts.slice(first).join('/') };
}

/**
 * Compiles the wildcard part of a COPY source: Go's filepath.Match over the whole relative path, so `*` stops at slashes
 * and `**` is no more than `*`. Undefined for a malformed pattern, which BuildKit refuses.
 */
export function compileCopyPattern(pattern: string): CopyPattern | undefined {
  const tokens = parseMatchPattern(pattern);
  if (tokens === undefined) return undefined;
  const program = new GlobProgram(tokens);
  return {
    matches: (path) => program.matches(path),
    mayMatchBelow: (directory) => program.mayMatchBelow(directory === '' ? '' : `${directory}/`),
  };
}

/** One match of {@link compileCopyPattern}, false for a malformed pattern; compile the pattern where many paths are tried. */
export function matchCopyPattern(pattern: string, path: string): boolean {
  return compileCopyPattern(pattern)?.matches(path) ?? false;
}

import { BoxwrightError } from '@boxwright/errors';
import { cleanPath } from './clean-path.ts';
import { trimSpace } from './go-space.ts';
import { maxFileSize } from './limits.ts';
import { createPatternMatcher, type PatternMatcher } from './pattern-matcher.ts';

/** A `.dockerignore`: which paths of the build context are left out. */
export interface IgnoreMatcher {
  /** The patterns as cleaned, exceptions with their `!`. */
  readonly patterns: readonly string[];
  /**
   * True when the path is left out. Paths are relative to the context, components separated by `/`. Ask about directories
   * in the order of a walk: what was found for the last path's parents is remembered.
   *
   * A directory that is left out is still made in the image when something below it is not; see {@link needsDescend}.
   */
  matches(path: string, isDirectory?: boolean): boolean;
  /** False when a directory that is left out holds nothing that an exception could bring back: it need not be read. */
  needsDescend(directory: string): boolean;
}

/**
 * Reads a `.dockerignore` (https://docs.docker.com/build/concepts/context/#dockerignore-files) with the semantics of
 * moby/patternmatcher: comments are lines whose very first character is `#`, lines are trimmed and cleaned, a leading `/`
 * counts for nothing, the last pattern that matches wins, and a pattern that matches a directory matches all below it.
 *
 * @throws {BoxwrightError} IGNORE_PATTERN for a malformed pattern or a lone `!`, with file and line.
 */
export function parseIgnoreFile(input: string | Uint8Array, options: { readonly file?: string } = {}): IgnoreMatcher {
  const file = options.file ?? '.dockerignore';
  const size = typeof input === 'string' ? input.length : input.byteLength;
  if (size > maxFileSize) {
    throw new BoxwrightError('IGNORE_PATTERN', `${file}: file of ${size} bytes is larger than ${maxFileSize}`);
  }
  const text = (typeof input === 'string' ? input : new TextDecoder().decode(input)).replace(/^\ufeff/, '');
  const patterns: { text: string; origin: string }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('#')) continue;
    const pattern = readPattern(line);
    if (pattern !== '') patterns.push({ text: pattern, origin: `${file}:${index + 1}` });
  }
  return new Ignore(createPatternMatcher(patterns));
}

function readPattern(line: string): string {
  const trimmed = trimSpace(line);
  const exception = trimmed.startsWith('!');
  let pattern = exception ? trimSpace(trimmed.slice(1)) : trimmed;
  if (pattern !== '') {
    pattern = cleanPath(pattern);
    if (pattern.length > 1 && pattern.startsWith('/')) pattern = pattern.slice(1);
  }
  return exception ? `!${pattern}` : pattern;
}

class Ignore implements IgnoreMatcher {
  readonly patterns: readonly string[];
  readonly #matcher: PatternMatcher;

  constructor(matcher: PatternMatcher) {
    this.#matcher = matcher;
    this.patterns = matcher.patterns;
  }

  matches(path: string): boolean {
    return this.#matcher.matches(path);
  }

  needsDescend(directory: string): boolean {
    return this.#matcher.mayReinclude(directory);
  }
}

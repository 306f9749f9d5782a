import { BoxwrightError } from '@boxwright/errors';
import { cleanPath } from './clean-path.ts';
import { GlobProgram } from './glob-program.ts';
import { type GlobToken, parseIgnorePattern, parseMatchPattern } from './glob-tokens.ts';
import { trimSpace } from './go-space.ts';
import { maxPatternLength } from './limits.ts';

/** A pattern and where it comes from, for messages. */
export interface PatternSource {
  readonly text: string;
  /** `.dockerignore:3`, `COPY --exclude`. */
  readonly origin: string;
}

/**
 * Patterns as moby/patternmatcher applies them: the last one that matches a path wins, `!` negates, and what a pattern
 * matches it matches with all below. Used for `.dockerignore`, `COPY --exclude` and the sources of `COPY --parents`.
 */
export interface PatternMatcher {
  /** As cleaned, with their `!`. */
  readonly patterns: readonly string[];
  /** True when the last pattern that matches the path or one of its parents is no exception. `.` is never matched. */
  matches(path: string): boolean;
  /** True when some path below the directory, which is matched, may not be. */
  mayReinclude(directory: string): boolean;
  /** True when some path below the directory may be matched. */
  mayMatchBelow(directory: string): boolean;
}

interface Pattern {
  readonly exception: boolean;
  readonly program: GlobProgram;
}

/** What each pattern says of a path. */
interface Result {
  readonly path: string;
  readonly matched: boolean;
  /** 1 for each pattern that matches the path or a parent. */
  readonly each: Uint8Array;
}

/**
 * Compiles patterns (https://docs.docker.com/build/concepts/context/#syntax).
 *
 * A class (`[...]`) is read as filepath.Match reads it. The original checks it so, but then hands it to a regular expression;
 * the two differ for `[*]`, `[?]`, a `^` outside of a class and a backslash before a letter, where we keep to the documented
 * syntax.
 *
 * @throws {BoxwrightError} IGNORE_PATTERN
 */
export function createPatternMatcher(patterns: readonly PatternSource[]): PatternMatcher {
  const texts: string[] = [];
  const compiled: Pattern[] = [];
  for (const { text, origin } of patterns) {
    const trimmed = trimSpace(text);
    if (trimmed === '') continue;
    const cleaned = cleanPath(trimmed);
    const exception = cleaned.startsWith('!');
    const body = exception ? cleaned.slice(1) : cleaned;
    if (body === '') throw patternFault(origin, text, 'an exception without a pattern');
    if (body.length > maxPatternLength) throw patternFault(origin, text.slice(0, 80), 'pattern is too long');
    const tokens = tokensOf(body);
    if (tokens === undefined) throw patternFault(origin, text, 'malformed pattern');
    texts.push(cleaned);
    compiled.push({ exception, program: new GlobProgram(tokens) });
  }
  return new Matcher(texts, compiled);
}

function patternFault(origin: string, pattern: string, reason: string): BoxwrightError {
  return new BoxwrightError('IGNORE_PATTERN', `${origin}: ${reason}: ${JSON.stringify(pattern)}`, {
    hint: 'Check that every [ has its ] and that no backslash is last.',
    details: { pattern },
  });
}

function tokensOf(body: string): readonly GlobToken[] | undefined {
  if (parseMatchPattern(body) === undefined) return undefined;
  // `**x` without a slash and without other special characters is a plain suffix: it also matches `ax`.
  const suffix = /^\*\*([^/*?[\]\\][^*?[\]\\]*)$/s.exec(body)?.[1];
  if (suffix !== undefined) {
    return [{ kind: 'rest' }, ...Array.from(suffix, literal)];
  }
  return parseIgnorePattern(body);
}

function literal(character: string): GlobToken {
  return { kind: 'literal', code: character.codePointAt(0) ?? 0 };
}

class Matcher implements PatternMatcher {
  readonly patterns: readonly string[];
  readonly #patterns: readonly Pattern[];
  readonly #exceptions: boolean;
  /** Results of the last path and its parents, outermost first: a walk asks for neighbours. */
  readonly #chain: Result[] = [];

  constructor(texts: readonly string[], patterns: readonly Pattern[]) {
    this.patterns = texts;
    this.#patterns = patterns;
    this.#exceptions = patterns.some((pattern) => pattern.exception);
  }

  matches(path: string): boolean {
    return this.#result(path)?.matched ?? false;
  }

  mayReinclude(directory: string): boolean {
    if (!this.#exceptions) return false;
    const result = this.#result(directory);
    if (result === undefined) return true;
    // What matches the directory matches all below it, so only later exceptions count.
    const from = this.#patterns.findLastIndex((pattern, index) => !pattern.exception && result.each[index] === 1);
    const below = `${result.path}/`;
    return this.#patterns.some(
      (pattern, index) => index > from && pattern.exception && pattern.program.mayMatchBelow(below),
    );
  }

  mayMatchBelow(directory: string): boolean {
    const result = this.#result(directory);
    if (result === undefined || result.matched) return this.#patterns.length > 0;
    const below = `${result.path}/`;
    return this.#patterns.some((pattern) => !pattern.exception && pattern.program.mayMatchBelow(below));
  }

  /** Undefined for the root, which no pattern matches. */
  #result(path: string): Result | undefined {
    const clean = path.endsWith('/') ? path.slice(0, -1) : path;
    if (clean === '' || clean === '.') return undefined;
    let top = this.#chain.at(-1);
    while (top !== undefined && top.path !== clean && !clean.startsWith(`${top.path}/`)) {
      this.#chain.pop();
      top = this.#chain.at(-1);
    }
    while (top === undefined || top.path.length < clean.length) {
      const end = clean.indexOf('/', top === undefined ? 0 : top.path.length + 1);
      top = this.#evaluate(end === -1 ? clean : clean.slice(0, end), top);
      this.#chain.push(top);
    }
    return top;
  }

  #evaluate(path: string, parent: Result | undefined): Result {
    const each = new Uint8Array(this.#patterns.length);
    let matched = false;
    for (const [index, pattern] of this.#patterns.entries()) {
      let match = parent?.each[index] === 1;
      if (!match) {
        // A pattern that could change nothing here is not asked, and so does not count for what is below either.
        if (pattern.exception !== matched) continue;
        match = pattern.program.matches(path);
      }
      if (match) {
        each[index] = 1;
        matched = !pattern.exception;
      }
    }
    return { path, matched, each };
  }
}

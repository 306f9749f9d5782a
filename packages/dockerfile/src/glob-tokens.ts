/** Characters `first`..`last` of a class, by code point. */
type CharacterRange = readonly [first: number, last: number];

/** What a pattern is made of. */
export type GlobToken =
  | { readonly kind: 'literal'; readonly code: number }
  /** `[a-z]`, `[^a]`; like Go's, it may match a slash. */
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly CharacterRange[] }
  /** `?`: anything but a slash. */
  | { readonly kind: 'any' }
  /** `*`: any number of anything but slashes. */
  | { readonly kind: 'star' }
  /** `**` before something: nothing, or any text that ends with a slash. */
  | { readonly kind: 'directories' }
  /** `**` at the end: any text. */
  | { readonly kind: 'rest' };

/**
 * Reads the syntax of Go's filepath.Match (no `**`): https://pkg.go.dev/path/filepath#Match. Undefined for what Go calls a
 * bad pattern: an unterminated or empty class, a class range without end, a backslash at the end.
 */
export function parseMatchPattern(text: string): readonly GlobToken[] | undefined {
  return readTokens(Array.from(text));
}

function readTokens(pattern: readonly string[]): readonly GlobToken[] | undefined {
  const tokens: GlobToken[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? '';
    if (character === '*') {
      // Several stars in a row match what one does.
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else if (character === '?') {
      tokens.push({ kind: 'any' });
    } else if (character === '[') {
      const found = readClass(pattern, index + 1);
      if (found === undefined) return undefined;
      tokens.push(found.token);
      index = found.end - 1;
    } else if (character === '\\') {
      index++;
      if (index === pattern.length) return undefined;
      tokens.push({ kind: 'literal', code: codeAt(pattern, index) });
    } else {
      tokens.push({ kind: 'literal', code: codeAt(pattern, index) });
    }
  }
  return tokens;
}

/**
 * Reads the syntax of moby/patternmatcher: filepath.Match with `**`. At the end of a pattern `**` matches all that follows,
 * else it matches any number of directories, its own slash included. Undefined for a bad pattern.
 */
export function parseIgnorePattern(text: string): readonly GlobToken[] | undefined {
  const pattern = Array.from(text);
  const tokens: GlobToken[] = [];
  for (let index = 0; index < pattern.length; index++) {
    if (pattern[index] === '*' && pattern[index + 1] === '*') {
      index += pattern[index + 2] === '/' ? 2 : 1;
      tokens.push({ kind: index + 1 === pattern.length ? 'rest' : 'directories' });
      continue;
    }
    const end = tokenEnd(pattern, index);
    const one = end === undefined ? undefined : readTokens(pattern.slice(index, end));
    if (one === undefined || end === undefined) return undefined;
    tokens.push(...one);
    index = end - 1;
  }
  return tokens;
}

/** End of the token that starts at `index`, which is no `**`; undefined for an unterminated class. */
function tokenEnd(pattern: readonly string[], index: number): number | undefined {
  if (pattern[index] === '\\') return Math.min(index + 2, pattern.length);
  return pattern[index] === '[' ? readClass(pattern, index + 1)?.end : index + 1;
}

function readClass(pattern: readonly string[], start: number): { token: GlobToken; end: number } | undefined {
  let index = start;
  const negated = pattern[index] === '^';
  if (negated) index++;
  const ranges: CharacterRange[] = [];
  for (;;) {
    if (pattern[index] === ']' && ranges.length > 0) break;
    const first = readClassCharacter(pattern, index);
    if (first === undefined) return undefined;
    index = first.end;
    let last = first;
    if (pattern[index] === '-') {
      const found = readClassCharacter(pattern, index + 1);
      if (found === undefined) return undefined;
      last = found;
      index = found.end;
    }
    ranges.push([first.code, last.code]);
  }
  return { token: { kind: 'class', negated, ranges }, end: index + 1 };
}

/** A character of a class; `-` and `]` need a backslash. There must be something after it. */
function readClassCharacter(pattern: readonly string[], start: number): { code: number; end: number } | undefined {
  let index = start;
  if (index >= pattern.length || pattern[index] === '-' || pattern[index] === ']') return undefined;
  if (pattern[index] === '\\') index++;
  if (index + 1 >= pattern.length) return undefined;
  return { code: codeAt(pattern, index), end: index + 1 };
}

/** True when the class holds the character. */
export function classMatches(token: Extract<GlobToken, { kind: 'class' }>, code: number): boolean {
  return token.ranges.some(([first, last]) => first <= code && code <= last) !== token.negated;
}

function codeAt(characters: readonly string[], index: number): number {
  return characters[index]?.codePointAt(0) ?? -1;
}

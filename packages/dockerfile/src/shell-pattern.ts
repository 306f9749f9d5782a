/** One character that a pattern matches: a literal, or any but a line feed (`?`). */
type Unit = string | null;

/** A pattern of `${x#p}`, `${x%p}` and `${x/p/r}`: runs of characters with a `*` between each two. */
export type ShellPattern = readonly (readonly Unit[])[];

/**
 * Reads a pattern as BuildKit's lexer does: `*` and `?` are wildcards, brackets are not; a backslash may stand before
 * `*`, `?`, a backslash, `}` and `/`. Returns the offending character when it stands before another.
 */
export function parseShellPattern(text: string): ShellPattern | { readonly invalidEscape: string } {
  const runs: Unit[][] = [];
  let run: Unit[] = [];
  const characters = Array.from(text);
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '*') {
      runs.push(run);
      run = [];
    } else if (character === '?') {
      run.push(null);
    } else if (character === '\\') {
      const next = characters[index + 1] ?? '';
      if (!'*?\\}/'.includes(next) || next === '') return { invalidEscape: next };
      run.push(next);
      index++;
    } else {
      run.push(character);
    }
  }
  runs.push(run);
  return runs;
}

/** How many characters may be compared at most: the work that {@link replaceMatches} and the others take. */
export function patternCost(pattern: ShellPattern, value: string): number {
  return pattern.reduce((sum, run) => sum + run.length + 1, 0) * value.length;
}

/** Removes the shortest or longest match from the start of the value. */
export function trimPrefix(pattern: ShellPattern, value: string, greedy: boolean): string {
  const characters = Array.from(value);
  const end = matchAt(pattern, characters, 0, greedy);
  return end === -1 ? value : characters.slice(end).join('');
}

/** Removes the shortest or longest match from the end of the value: both are matched backwards. */
export function trimSuffix(pattern: ShellPattern, value: string, greedy: boolean): string {
  const characters = Array.from(value).toReversed();
  const end = matchAt(pattern.map((run) => run.toReversed()).toReversed(), characters, 0, greedy);
  return end === -1 ? value : characters.slice(end).toReversed().join('');
}

/**
 * Replaces the first match or all matches (longest, leftmost). Matches that are empty count as Go's regexp counts them:
 * before every character and at the end, but not right after another match. Undefined when the result would be longer than `limit`.
 */
export function replaceMatches(
  pattern: ShellPattern,
  value: string,
  replacement: (match: string) => string,
  all: boolean,
  limit: number,
): string | undefined {
  const characters = Array.from(value);
  const out: string[] = [];
  let length = 0;
  let copied = 0;
  let lastEnd = 0;
  const lineFeed = characters.lastIndexOf('\n');
  for (let search = 0; search <= characters.length; ) {
    const found = findMatch(pattern, characters, search, lineFeed);
    if (found === undefined) break;
    if (found.end > lastEnd || found.start === 0) {
      const text = replacement(characters.slice(found.start, found.end).join(''));
      length += text.length + (found.start - copied);
      if (length > limit) return undefined;
      out.push(characters.slice(copied, found.start).join(''), text);
      copied = found.end;
      if (!all) break;
    } else {
      length += found.start - copied;
      out.push(characters.slice(copied, found.start).join(''));
      copied = found.start;
    }
    lastEnd = found.end;
    search = found.end > search ? found.end : search + 1;
  }
  out.push(characters.slice(copied).join(''));
  return out.join('');
}

function findMatch(
  pattern: ShellPattern,
  value: readonly string[],
  from: number,
  lineFeed: number,
): { start: number; end: number } | undefined {
  const head = pattern[0] ?? [];
  for (let start = from; start + head.length <= value.length; start++) {
    if (!runMatches(head, value, start)) continue;
    const end = matchAt(pattern, value, start, true);
    if (end !== -1) return { start, end };
    // What follows the head is nowhere on this last line, so a later start cannot find it either.
    if (start > lineFeed) return undefined;
  }
  return undefined;
}

/** End of the match that starts at `start`, or -1. A wildcard does not match a line feed, as `.` in Go's regexp. */
function matchAt(pattern: ShellPattern, value: readonly string[], start: number, greedy: boolean): number {
  const head = pattern[0] ?? [];
  if (!runMatches(head, value, start)) return -1;
  let position = start + head.length;
  let limit = -1;
  for (let index = 1; index < pattern.length; index++) {
    const run = pattern[index] ?? [];
    if (limit < position) {
      const feed = value.indexOf('\n', position);
      limit = feed === -1 ? value.length : feed;
    }
    const last = index === pattern.length - 1;
    // Taking the first place for each run leaves most room for the next ones; only the last run decides on the length.
    const place = last && greedy ? findLast(run, value, position, limit) : findFirst(run, value, position, limit);
    if (place === -1) return -1;
    position = place + run.length;
  }
  return position;
}

function findFirst(run: readonly Unit[], value: readonly string[], from: number, limit: number): number {
  for (let start = from; start <= limit && start + run.length <= value.length; start++) {
    if (runMatches(run, value, start)) return start;
  }
  return -1;
}

function findLast(run: readonly Unit[], value: readonly string[], from: number, limit: number): number {
  for (let start = Math.min(limit, value.length - run.length); start >= from; start--) {
    if (runMatches(run, value, start)) return start;
  }
  return -1;
}

function runMatches(run: readonly Unit[], value: readonly string[], start: number): boolean {
  if (start + run.length > value.length) return false;
  for (let index = 0; index < run.length; index++) {
    const unit = run[index];
    const character = value[start + index];
    if (unit === null ? character === '\n' : unit !== character) return false;
  }
  return true;
}

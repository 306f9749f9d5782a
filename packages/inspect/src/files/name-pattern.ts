/**
 * One step of a pattern. `stars` take any number of characters but slashes, `deepStars` any at all, `directories` any
 * number of whole components with their slash.
 */
type Step =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'stars' }
  | { readonly kind: 'deepStars' }
  | { readonly kind: 'directories' }
  | { readonly kind: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/**
 * A test for paths (absolute, decoded) by a shell pattern: `*`, `?`, `[a-z]`, and double stars for any number of
 * directories. A pattern without a slash is held against the last component, any other against the whole path. The test
 * takes time in proportion to pattern and path, whatever they are.
 */
export function namePattern(pattern: string): (path: string) => boolean {
  const isWhole = pattern.includes('/');
  const steps = parse(isWhole && !pattern.startsWith('/') && !pattern.startsWith('**') ? `/${pattern}` : pattern);
  return (path) => matches(steps, isWhole ? path : path.slice(path.lastIndexOf('/') + 1));
}

function parse(pattern: string): Step[] {
  const steps: Step[] = [];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*' && characters[at + 1] === '*') {
      const isDirectories = characters[at + 2] === '/';
      steps.push({ kind: isDirectories ? 'directories' : 'deepStars' });
      at += isDirectories ? 2 : 1;
    } else if (character === '*') steps.push({ kind: 'stars' });
    else if (character === '?') steps.push({ kind: 'one' });
    else if (character === '[') {
      const end = characters.indexOf(']', at + 2);
      if (end < 0) steps.push({ kind: 'text', text: character });
      else {
        steps.push(set(characters.slice(at + 1, end)));
        at = end;
      }
    } else if (character === '\\' && at + 1 < characters.length)
      steps.push({ kind: 'text', text: characters[++at] ?? '' });
    else steps.push({ kind: 'text', text: character });
  }
  return steps;
}

function set(characters: readonly string[]): Step {
  const negated = characters[0] === '!' || characters[0] === '^';
  const ranges: [string, string][] = [];
  for (let at = negated ? 1 : 0; at < characters.length; at++) {
    const from = characters[at] ?? '';
    if (characters[at + 1] === '-' && at + 2 < characters.length) {
      ranges.push([from, characters[at + 2] ?? '']);
      at += 2;
    } else ranges.push([from, from]);
  }
  return { kind: 'set', negated, ranges };
}

/** All places in the pattern that the path so far may have led to, moved on together: no backtracking. */
function matches(steps: readonly Step[], path: string): boolean {
  let places = new Uint8Array(steps.length + 1);
  places[0] = 1;
  skipStars(steps, places, true);
  for (const character of path) {
    const next = new Uint8Array(steps.length + 1);
    for (const [at, step] of steps.entries()) {
      if (places[at] === 1 && takes(step, character)) next[isRepeated(step) ? at : at + 1] = 1;
    }
    skipStars(steps, next, character === '/');
    places = next;
  }
  return places[steps.length] === 1;
}

function isRepeated({ kind }: Step): boolean {
  return kind === 'stars' || kind === 'deepStars' || kind === 'directories';
}

/** Where a step has taken enough, the next one may begin. */
function skipStars(steps: readonly Step[], places: Uint8Array, isBehindSlash: boolean): void {
  for (const [at, step] of steps.entries()) {
    if (places[at] === 1 && isRepeated(step) && (isBehindSlash || step.kind !== 'directories')) places[at + 1] = 1;
  }
}

function takes(step: Step, character: string): boolean {
  switch (step.kind) {
    case 'text':
      return step.text === character;
    case 'one':
    case 'stars':
      return character !== '/';
    case 'deepStars':
    case 'directories':
      return true;
    case 'set':
      return (
        character !== '/' && step.negated !== step.ranges.some(([from, to]) => from <= character && character <= to)
      );
    default:
      return step satisfies never;
  }
}

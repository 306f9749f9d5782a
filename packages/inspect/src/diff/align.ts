/** A pair of positions that belong together; one is absent where the other list has nothing like it. */
export interface AlignedPair {
  readonly before?: number;
  readonly after?: number;
}

/** Above this many comparisons of what lies between common ends, the first match in order is taken. */
const maxCells = 4_000_000;

/**
 * Aligns two lists of texts: the longest common subsequence, so that as little as possible counts as added or removed.
 * Histories can be hostile, so what lies between common ends is aligned greedily when it is very long.
 */
export function align(before: readonly string[], after: readonly string[]): AlignedPair[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let ending = 0;
  while (ending < shorter - start && before.at(-1 - ending) === after.at(-1 - ending)) ending++;
  const left = before.slice(start, before.length - ending);
  const right = after.slice(start, after.length - ending);
  const middle = left.length * right.length <= maxCells ? longest(left, right) : greedy(left, right);
  return [
    ...Array.from({ length: start }, (_, index) => ({ before: index, after: index })),
    ...filled(middle, left.length, right.length).map((pair) => shifted(pair, start)),
    ...Array.from({ length: ending }, (_, index) => ({
      before: before.length - ending + index,
      after: after.length - ending + index,
    })),
  ];
}

type Match = readonly [before: number, after: number];

function longest(left: readonly string[], right: readonly string[]): Match[] {
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i * width + j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const matches: Match[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) matches.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return matches;
}

/** Each text with the next one like it. Linear. */
function greedy(left: readonly string[], right: readonly string[]): Match[] {
  const places = new Map<string, number[]>();
  for (let j = right.length - 1; j >= 0; j--) {
    const text = right[j] ?? '';
    const known = places.get(text);
    if (known === undefined) places.set(text, [j]);
    else known.push(j);
  }
  const matches: Match[] = [];
  let next = 0;
  for (const [i, text] of left.entries()) {
    const known = places.get(text) ?? [];
    while (known.length > 0 && (known.at(-1) ?? 0) < next) known.pop();
    const j = known.pop();
    if (j === undefined) continue;
    matches.push([i, j]);
    next = j + 1;
  }
  return matches;
}

/** Matches with what lies between them: what is gone comes before what is new. */
function filled(matches: readonly Match[], left: number, right: number): AlignedPair[] {
  const pairs: AlignedPair[] = [];
  let i = 0;
  let j = 0;
  const until = (before: number, after: number): void => {
    while (i < before) pairs.push({ before: i++ });
    while (j < after) pairs.push({ after: j++ });
  };
  for (const [before, after] of matches) {
    until(before, after);
    pairs.push({ before: i++, after: j++ });
  }
  until(left, right);
  return pairs;
}

function shifted({ before, after }: AlignedPair, by: number): AlignedPair {
  return {
    ...(before === undefined ? {} : { before: before + by }),
    ...(after === undefined ? {} : { after: after + by }),
  };
}

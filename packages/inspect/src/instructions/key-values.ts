import type { NameValue } from './instruction.ts';

/** Names longer than this are not looked for inside of values, so that looking stays cheap. */
const longestName = 256;
/** Values longer than this are not compared, for the same reason: their end is looked for instead. */
const longestValue = 16_384;

/**
 * The pairs of an ENV or LABEL row of BuildKit or Docker, where nothing is quoted: `A=1 B=two words`. What begins a pair
 * is told by `known`, the variables or labels of the image's config (`GIT_SSH=ssh -o User=git` is one variable unless
 * there is one called User); where that knows nothing, anything like a name with `=` begins one.
 */
export function splitPairs(text: string, known: ReadonlyMap<string, string>): readonly NameValue[] {
  const pairs: NameValue[] = [];
  const finder = new PairFinder(text, known);
  let position = 0;
  while (position < text.length) {
    const equals = text.indexOf('=', position);
    if (equals < 0) {
      pairs.push({ name: text.slice(position) });
      break;
    }
    const name = text.slice(position, equals);
    const end = finder.endOfValue(equals + 1, known.get(name));
    pairs.push({ name, value: text.slice(equals + 1, end) });
    position = end + 1;
  }
  return pairs;
}

/** Finds where values end. Positions asked for only grow, so that a text is looked through once. */
class PairFinder {
  readonly #text: string;
  readonly #known: ReadonlyMap<string, string>;
  #equals = -1;

  constructor(text: string, known: ReadonlyMap<string, string>) {
    this.#text = text;
    this.#known = known;
  }

  /** The end of the value that starts at `start`; the one that the config has is tried first. */
  endOfValue(start: number, expected: string | undefined): number {
    if (expected !== undefined && expected.length <= longestValue && this.#text.startsWith(expected, start)) {
      const end = start + expected.length;
      if (end === this.#text.length || (this.#text[end] === ' ' && this.#beginsPair(end + 1))) return end;
    }
    for (let blank = this.#text.indexOf(' ', start); blank >= 0; blank = this.#text.indexOf(' ', blank + 1)) {
      if (this.#beginsPair(blank + 1)) return blank;
    }
    return this.#text.length;
  }

  #beginsPair(position: number): boolean {
    if (this.#equals < position) {
      const next = this.#text.indexOf('=', position);
      this.#equals = next < 0 ? Number.POSITIVE_INFINITY : next;
    }
    const length = this.#equals - position;
    if (length <= 0 || length > longestName) return false;
    const name = this.#text.slice(position, this.#equals);
    return this.#known.size === 0 ? /^[A-Za-z_][\w.-]*$/.test(name) : this.#known.has(name);
  }
}

/**
 * The names of an ARG row: `A=1 B`. Values are not quoted and no config has them, so a word without `=` after a value
 * counts as part of it.
 */
export function splitArguments(text: string): readonly NameValue[] {
  const pairs: { name: string; values?: string[] }[] = [];
  for (const word of text.split(' ')) {
    const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word);
    const values = pairs.at(-1)?.values;
    if (match !== null) pairs.push({ name: match[1] ?? '', values: [match[2] ?? ''] });
    else if (values !== undefined) values.push(word);
    else if (word !== '') pairs.push({ name: word });
  }
  return pairs.map(({ name, values }) => (values === undefined ? { name } : { name, value: values.join(' ') }));
}

/**
 * The pairs of an ENV or LABEL row of buildah or kaniko, which keep the text of the Dockerfile: quotes and
 * backslashes, and the old form with one name and a blank (Dockerfile reference, ENV).
 */
export function splitQuotedPairs(text: string): readonly NameValue[] {
  const words = quotedWords(text);
  const [first] = words;
  if (first !== undefined && first.equals < 0) {
    const value = text.slice(text.indexOf(' ') + 1).trim();
    return text.includes(' ') ? [{ name: first.text, value }] : [{ name: first.text }];
  }
  const pairs: { name: string; values: string[] }[] = [];
  for (const { text: word, equals } of words) {
    if (equals >= 0) pairs.push({ name: word.slice(0, equals), values: [word.slice(equals + 1)] });
    // `buildah config` quotes nothing.
    else pairs.at(-1)?.values.push(word);
  }
  return pairs.map(({ name, values }) => ({ name, value: values.join(' ') }));
}

interface QuotedWord {
  readonly text: string;
  /** Where the first `=` outside of quotes stands in it; -1 without. */
  readonly equals: number;
}

/** Words by the rules of the Dockerfile parser, less expansion. A quote that is never closed ends with the text. */
function quotedWords(text: string): QuotedWord[] {
  const words: QuotedWord[] = [];
  let word = '';
  let equals = -1;
  let inWord = false;
  let quote = '';
  for (let position = 0; position < text.length; position++) {
    const character = text[position] ?? '';
    if (quote === '' && /\s/.test(character)) {
      if (inWord) words.push({ text: word, equals });
      word = '';
      equals = -1;
      inWord = false;
      continue;
    }
    inWord = true;
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === '\\' && quote !== "'" && isEscape(text, position, quote)) word += text[++position] ?? '';
    else {
      if (character === '=' && quote === '' && equals < 0) equals = word.length;
      word += character;
    }
  }
  if (inWord) words.push({ text: word, equals });
  return words;
}

/** Inside of double quotes a backslash stands for itself unless something follows that it can take the meaning of. */
function isEscape(text: string, position: number, quote: string): boolean {
  const next = text[position + 1];
  return next !== undefined && (quote === '' || next === '"' || next === '\\' || next === '$');
}

import { isSpace, skipSpace } from './go-space.ts';
import { maxNesting, maxPatternCost, maxValueLength } from './limits.ts';
import {
  parseShellPattern,
  patternCost,
  replaceMatches,
  type ShellPattern,
  trimPrefix,
  trimSuffix,
} from './shell-pattern.ts';

/** Value of a variable; undefined when it is not set (set but empty is not the same). */
export type VariableLookup = (name: string) => string | undefined;

/** How a word is read; the defaults are those of BuildKit for most instructions. */
export interface WordOptions {
  /** Default backslash. */
  readonly escape?: '\\' | '`';
  /** Quotes stay in the result (they still quote). */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in the result (they still escape). */
  readonly rawEscapes?: boolean;
  /** Quotes are ordinary characters: the bodies of heredocs. */
  readonly skipQuotes?: boolean;
  /** Variables that are not set stay as written. */
  readonly keepUnset?: boolean;
}

/** A word after expansion. */
export interface ExpandedWord {
  readonly text: string;
  /** The same split at white space that is neither quoted nor escaped; the words of `EXPOSE`. */
  readonly words: readonly string[];
  /** Names of variables used that were set. */
  readonly matched: ReadonlySet<string>;
  /** Names of variables used that were not set. */
  readonly unmatched: ReadonlySet<string>;
}

/** Why a word cannot be expanded; {@link expandWord} users turn it into a DockerfileError with a place. */
export class WordError extends Error {
  /** True when a limit of ours is hit, not a rule of the language. */
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.name = 'WordError';
    this.tooLarge = tooLarge;
  }
}

/**
 * Expands variables and removes quotes and escapes, as BuildKit's shell lexer does
 * (https://docs.docker.com/reference/dockerfile/#environment-replacement): `$x ${x}`, the modifiers `- :- + :+ ? :?`,
 * the patterns `# ## % %%` and `/ //`. Positional and special parameters (`$1 $@ $-`) are never set. The value of a
 * variable is not expanded again.
 *
 * @throws {WordError} for an unterminated quote or brace, an unknown modifier, an unset variable with `?`, or a result above 1 MiB.
 */
export function expandWord(word: string, lookup: VariableLookup, options: WordOptions = {}): ExpandedWord {
  const lexer = new Lexer(word, lookup, options);
  const { text, words } = lexer.run();
  return { text, words, matched: lexer.matched, unmatched: lexer.unmatched };
}

/** Collects a word's text and, beside it, the words it splits into. */
class WordCollector {
  text = '';
  readonly words: string[] = [];
  #word = '';

  /** Text that may split: white space ends a word. */
  add(text: string): void {
    this.#grow(text);
    let start = 0;
    for (let index = 0; index < text.length; index++) {
      if (!isSpace(text.charCodeAt(index))) continue;
      this.#word += text.slice(start, index);
      start = index + 1;
      if (this.#word !== '') this.words.push(this.#word);
      this.#word = '';
    }
    this.#word += text.slice(start);
  }

  /** Text that does not split. */
  addRaw(text: string): void {
    this.#grow(text);
    this.#word += text;
  }

  finish(): { text: string; words: readonly string[] } {
    if (this.#word !== '') this.words.push(this.#word);
    return this;
  }

  #grow(text: string): void {
    if (this.text.length + text.length > maxValueLength) {
      throw new WordError(`value is longer than ${maxValueLength} characters after expansion`, true);
    }
    this.text += text;
  }
}

const noBrace = '${ has no closing brace';

class Lexer {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #text: string;
  readonly #lookup: VariableLookup;
  readonly #escape: string;
  readonly #options: WordOptions;
  #position = 0;
  #depth = 0;

  constructor(text: string, lookup: VariableLookup, options: WordOptions) {
    this.#text = text;
    this.#lookup = lookup;
    this.#escape = options.escape ?? '\\';
    this.#options = options;
  }

  run(): { text: string; words: readonly string[] } {
    return this.#until(undefined, this.#options.rawEscapes ?? false);
  }

  #peek(): string | undefined {
    return this.#text[this.#position];
  }

  /** The next code point; undefined at the end. */
  #next(): string | undefined {
    const code = this.#text.codePointAt(this.#position);
    if (code === undefined) return undefined;
    const character = String.fromCodePoint(code);
    this.#position += character.length;
    return character;
  }

  /** Reads up to the stop character, which is consumed, or to the end of the text when there is none. */
  #until(stop: string | undefined, rawEscapes: boolean): { text: string; words: readonly string[] } {
    const out = new WordCollector();
    for (;;) {
      const character = this.#peek();
      if (character === undefined) break;
      if (character === stop) {
        this.#position++;
        return out.finish();
      }
      if (character === '$') out.add(this.#dollar());
      else if (character === "'" && !this.#options.skipQuotes) out.addRaw(this.#singleQuote());
      else if (character === '"' && !this.#options.skipQuotes) out.addRaw(this.#doubleQuote(rawEscapes));
      else if (character === this.#escape) this.#escaped(out, rawEscapes);
      else if (character === '<') out.addRaw(this.#lessThan());
      else out.add(this.#plain(stop));
    }
    if (stop !== undefined) throw new WordError(`${stop} is missing`);
    return out.finish();
  }

  /** A run of characters without meaning. */
  #plain(stop: string | undefined): string {
    const start = this.#position;
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position] ?? '';
      if (character === stop || character === '$' || character === '<' || character === this.#escape) break;
      if ((character === "'" || character === '"') && !this.#options.skipQuotes) break;
      this.#position++;
    }
    return this.#text.slice(start, this.#position);
  }

  /** `<`, or `<<` with the white space after it: `<< EOF` is one word, so that it starts a heredoc. */
  #lessThan(): string {
    const start = this.#position++;
    if (this.#peek() === '<') this.#position = skipSpace(this.#text, this.#position + 1);
    return this.#text.slice(start, this.#position);
  }

  /** The escape character: it makes the next one ordinary, and is dropped at the end of the text. */
  #escaped(out: WordCollector, rawEscapes: boolean): void {
    this.#position++;
    if (rawEscapes) out.addRaw(this.#escape);
    const character = this.#next();
    if (character !== undefined) out.addRaw(character);
  }

  #singleQuote(): string {
    const start = this.#position;
    const end = this.#text.indexOf("'", start + 1);
    if (end === -1) throw new WordError('a single quote is not closed');
    this.#position = end + 1;
    return this.#options.rawQuotes ? this.#text.slice(start, end + 1) : this.#text.slice(start + 1, end);
  }

  #doubleQuote(rawEscapes: boolean): string {
    const quote = this.#options.rawQuotes ? '"' : '';
    const out = new WordCollector();
    this.#position++;
    for (;;) {
      const character = this.#peek();
      if (character === undefined) {
        throw new WordError('a double quote is not closed');
      }
      if (character === '"') {
        this.#position++;
        return quote + out.text + quote;
      }
      if (character === '$') {
        out.addRaw(this.#dollar());
        continue;
      }
      this.#position++;
      if (character !== this.#escape) {
        out.addRaw(character);
        continue;
      }
      if (rawEscapes) out.addRaw(character);
      const escaped = this.#peek();
      // The escape character stands for itself before anything but these.
      if (escaped === '"' || escaped === '$' || escaped === this.#escape) {
        this.#position++;
        out.addRaw(escaped);
      } else if (escaped !== undefined) {
        out.addRaw(character);
      }
    }
  }

  #dollar(): string {
    this.#position++;
    if (this.#peek() !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      const value = this.#value(name);
      return value ?? (this.#options.keepUnset ? `$${name}` : '');
    }
    this.#depth++;
    if (this.#depth > maxNesting) throw new WordError(`\${} is nested more than ${maxNesting} deep`, true);
    this.#position++;
    const result = this.#braces();
    this.#depth--;
    return result;
  }

  /** The part of `${…}` after the opening brace. */
  #braces(): string {
    const first = this.#peek();
    if (first === undefined) throw new WordError(noBrace);
    if (first === '{' || first === '}' || first === ':') throw new WordError('bad substitution');
    const name = this.#name();
    let operator = this.#next() ?? '';
    if (operator === '') throw new WordError(noBrace);
    if (operator === '}') return this.#value(name) ?? (this.#options.keepUnset ? `\${${name}}` : '');
    if (operator === '/') return this.#replacement(name);
    const colon = operator === ':';
    if (colon) operator = this.#next() ?? '';
    const written = colon ? `:${operator}` : operator;
    if (!(colon ? '+-?' : '+-?#%').includes(operator)) {
      throw new WordError(`unknown modifier ${written} in \${${name}…}`);
    }
    const word = this.#part('}', operator === '#' || operator === '%', noBrace);
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}${written}${word}}`;
    const absent = value === undefined || (colon && value === '');
    switch (operator) {
      case '-':
        return absent ? word : (value ?? '');
      case '+':
        return absent ? '' : word;
      case '?':
        if (absent) {
          const reason = value === undefined ? 'not set' : 'empty';
          throw new WordError(`${name}: ${word === '' ? reason : word}`);
        }
        return value ?? '';
      case '#':
      case '%':
        return this.#trimmed(operator, word, value ?? '');
      default:
        throw new WordError(`unknown modifier ${written} in \${${name}…}`);
    }
  }

  /** `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`. */
  #trimmed(operator: '#' | '%', word: string, value: string): string {
    const greedy = word.startsWith(operator);
    const text = greedy ? word.slice(1) : word;
    const pattern = parsePattern(text, value);
    return operator === '#' ? trimPrefix(pattern, value, greedy) : trimSuffix(pattern, value, greedy);
  }

  /** `${x/p/r}` and `${x//p/r}`, after the first slash. */
  #replacement(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#position++;
    const text = this.#part('/', true, '${…/…} has no second slash');
    const replacement = this.#part('}', true, noBrace);
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${all ? '/' : ''}${text}/${replacement}}`;
    const pattern = parsePattern(text, value ?? '');
    // Go's ReplaceAllString reads `$0` in the replacement, the replacement of one match does not.
    const expand = all && replacement.includes('$') ? templateOf(replacement) : () => replacement;
    const result = replaceMatches(pattern, value ?? '', expand, all, maxValueLength);
    if (result === undefined) {
      throw new WordError(`value is longer than ${maxValueLength} characters after expansion`, true);
    }
    return result;
  }

  #part(stop: string, rawEscapes: boolean, atEnd: string): string {
    try {
      return this.#until(stop, rawEscapes).text;
    } catch (error) {
      // BuildKit names what is missing of the outermost construct when the text ended inside it.
      if (error instanceof WordError && !error.tooLarge && this.#position >= this.#text.length)
        throw new WordError(atEnd);
      throw error;
    }
  }

  /** A name, a number (`$12`), or one special character (`$@`); empty when none of them follows. */
  #name(): string {
    const start = this.#position;
    const first = this.#text.codePointAt(start);
    if (first === undefined) return '';
    if (isDigit(first)) {
      while (isDigit(this.#text.codePointAt(this.#position))) this.#next();
    } else if ('@*#?-$!'.includes(String.fromCodePoint(first))) {
      this.#position++;
    } else {
      while (isNamePart(this.#text.codePointAt(this.#position))) this.#next();
    }
    return this.#text.slice(start, this.#position);
  }

  #value(name: string): string | undefined {
    const value = this.#lookup(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }
}

function parsePattern(text: string, value: string): ShellPattern {
  const pattern = parseShellPattern(text);
  if ('invalidEscape' in pattern) {
    throw new WordError(`in the pattern ${text} a backslash stands before "${pattern.invalidEscape}"`);
  }
  if (patternCost(pattern, value) > maxPatternCost) throw new WordError('pattern and value are too long', true);
  return pattern;
}

/** Go's regexp.Expand for an expression without groups: `$0` and `${0}` are the match, other names nothing, `$$` a dollar. */
function templateOf(template: string): (match: string) => string {
  return (match) =>
    template.replace(/\$(\$|\{\w+\}|\w+)/g, (_whole, name: string) => {
      if (name === '$') return '$';
      return /^(?:0+|\{0+\})$/.test(name) ? match : '';
    });
}

function isDigit(code: number | undefined): boolean {
  if (code === undefined) return false;
  if (code < 0x80) return code >= 0x30 && code <= 0x39;
  return /\p{Nd}/u.test(String.fromCodePoint(code));
}

function isNamePart(code: number | undefined): boolean {
  if (code === undefined) return false;
  if (code < 0x80) {
    return (
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a) ||
      code === 0x5f ||
      (code >= 0x30 && code <= 0x39)
    );
  }
  return /[\p{L}\p{Nd}]/u.test(String.fromCodePoint(code));
}

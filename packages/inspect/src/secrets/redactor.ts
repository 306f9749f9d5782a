import type { NameValue } from '../instructions/instruction.ts';
import { findSecrets, namedSecret, replaceMatches } from './find-secrets.ts';
import { isHarmlessValue, REDACTED } from './harmless-value.ts';
import { judgeName } from './secret-name.ts';

/** Each is searched for in every text, so there are not too many. Real images have a handful. */
const maxNeedles = 100;
const longestNeedle = 8192;

/**
 * Takes secrets out of texts of one image. It knows the values that names in the image gave away, and so finds them
 * where they stand without a name; see `imageSecrets`.
 */
export class Redactor {
  readonly #needles = new Map<string, string>();
  #sorted: readonly (readonly [needle: string, replacement: string])[] | undefined;

  /** Notes that the value of a variable, label or build argument is a secret. */
  addPair({ name, value = '' }: NameValue): void {
    this.#add(`${name}=${value}`, `${name}=${REDACTED}`);
    this.#add(`${name}="${value}"`, `${name}="${REDACTED}"`);
    this.addValue(value);
  }

  /** Notes a secret. Words that may stand elsewhere with another meaning (`postgres`) are not searched for. */
  addValue(value: string): void {
    const distinct = value.length >= 20 || (value.length >= 8 && /[A-Za-z]/.test(value) && /[^A-Za-z]/.test(value));
    if (distinct) this.#add(value, REDACTED);
  }

  /** Any text: a history row, a line of a Dockerfile, a message. */
  text(text: string): string {
    const known = this.known(text);
    return replaceMatches(known, findSecrets(known));
  }

  /** The text without those secrets that were noted. */
  known(text: string): string {
    this.#sorted ??= [...this.#needles].sort(([a], [b]) => b.length - a.length);
    let result = text;
    for (const [needle, replacement] of this.#sorted) result = result.replaceAll(needle, () => replacement);
    return result;
  }

  /** The value of a name. */
  value(name: string, value: string): string {
    return namedSecret(name, value) === undefined ? this.text(value) : REDACTED;
  }

  /** The words of a command, or a list of `NAME=value`: a flag's value may be the next word. */
  words(words: readonly string[]): readonly string[] {
    return words.map((word, index) => {
      const name = /^--([A-Za-z][\w.-]*)$/.exec(words[index - 1] ?? '')?.[1];
      if (name !== undefined && isFlagSecret(name, word)) return REDACTED;
      const equals = word.indexOf('=');
      const variable = equals > 0 ? word.slice(0, equals) : '';
      if (!/^[A-Za-z_][\w.-]*$/.test(variable)) return this.text(word);
      return `${variable}=${this.value(variable, word.slice(equals + 1))}`;
    });
  }

  #add(needle: string, replacement: string): void {
    if (this.#needles.size >= maxNeedles || needle.length > longestNeedle) return;
    this.#needles.set(needle, replacement);
    this.#sorted = undefined;
  }
}

function isFlagSecret(name: string, value: string): boolean {
  const verdict = judgeName(name);
  return verdict?.certainty === 'strong' && !isHarmlessValue(value, verdict.kind, 'text');
}

import { didYouMean, fault, type Statement } from './statement.ts';
import type { Word } from './words.ts';

/** Kinds of flags: on or off, one value, several values. */
export type FlagKind = 'boolean' | 'string' | 'strings';

/** The flags that an instruction was given. */
export interface Flags {
  /** Undefined when the flag was not given. */
  boolean(name: string): boolean | undefined;
  string(name: string): string | undefined;
  strings(name: string): readonly string[];
  /** The word that gave the flag, for messages. */
  word(name: string): Word | undefined;
}

/**
 * Checks the flags against what the instruction knows.
 *
 * @throws {DockerfileError} for an unknown flag, one given twice, a value that is missing or not true or false.
 */
export function parseFlags(statement: Statement, known: Readonly<Record<string, FlagKind>>): Flags {
  const values = new Map<string, { word: Word; values: string[] }>();
  for (const word of statement.flags) {
    const equals = word.text.indexOf('=');
    const name = word.text.slice(2, equals === -1 ? undefined : equals);
    const value = equals === -1 ? undefined : word.text.slice(equals + 1);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      const suggestion = didYouMean(
        `--${name}`,
        Object.keys(known).map((flag) => `--${flag}`),
      );
      throw fault(statement, `unknown flag: --${name}${suggestion}`, word, { code: 'DOCKERFILE_UNKNOWN_FLAG' });
    }
    const before = values.get(name);
    if (before !== undefined && kind !== 'strings') throw fault(statement, `flag --${name} is given twice`, word);
    if (value === undefined ? kind !== 'boolean' : kind === 'boolean' && value === '') {
      throw fault(statement, `flag --${name} needs a value`, word);
    }
    if (kind === 'boolean' && !/^(?:true|false)?$/i.test(value ?? '')) {
      throw fault(statement, `flag --${name} is true or false, not "${value}"`, word);
    }
    if (before === undefined) values.set(name, { word, values: [value ?? 'true'] });
    else before.values.push(value ?? 'true');
  }
  return {
    boolean: (name) => {
      const value = values.get(name)?.values[0];
      return value === undefined ? undefined : value.toLowerCase() === 'true';
    },
    string: (name) => values.get(name)?.values[0],
    strings: (name) => values.get(name)?.values ?? [],
    word: (name) => values.get(name)?.word,
  };
}

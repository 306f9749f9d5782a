import type { Heredoc } from './instructions.ts';
import { expandWord, WordError } from './shell-word.ts';

/** The `<<NAME` of a heredoc, before its body is read. */
export type HeredocStart = Omit<Heredoc, 'content'>;

const notSet = (): undefined => undefined;

/**
 * Reads one word as the start of a heredoc: digits, `<<`, an optional `-`, and a delimiter that is one word. `<<<` is none.
 * Blanks may stand between `<<` and the delimiter, not after `<<-`.
 * BuildKit lexes delimiters with the backslash as escape whatever the escape directive says.
 *
 * @throws {WordError} when the delimiter's quotes do not end.
 */
export function parseHeredocStart(word: string): HeredocStart | undefined {
  if (!word.includes('<<')) return undefined;
  const match = /^(\d*)<<(-?)\s*([^<]*)$/.exec(word);
  const delimiter = match?.[3];
  if (match === null || !delimiter) return undefined;
  const plain = expandWord(delimiter, notSet, { keepUnset: true });
  const name = plain.words[0];
  if (plain.words.length !== 1 || name === undefined) return undefined;
  const raw = expandWord(delimiter, notSet, { keepUnset: true, rawQuotes: true }).words[0] ?? '';
  return {
    name,
    // A delimiter that lost quotes was quoted.
    expand: countQuotes(name) === countQuotes(raw),
    chomp: match[2] === '-',
    fileDescriptor: Number.parseInt(match[1] || '0', 10),
  };
}

/** All heredocs that a line starts, in order. A line whose quotes do not end starts none (BuildKit leaves that to the shell). */
export function heredocStarts(line: string): HeredocStart[] {
  if (!line.includes('<<')) return [];
  let words: readonly string[];
  try {
    words = expandWord(line, notSet, { rawQuotes: true, rawEscapes: true, keepUnset: true }).words;
  } catch (error) {
    if (error instanceof WordError) return [];
    throw error;
  }
  return words.flatMap((word) => parseHeredocStart(word) ?? []);
}

/** The start of a heredoc, or undefined when the word is none or is malformed. */
export function tryHeredocStart(word: string): HeredocStart | undefined {
  try {
    return parseHeredocStart(word);
  } catch (error) {
    if (error instanceof WordError) return undefined;
    throw error;
  }
}

/** Drops the tabs at the start of each line: the content of `<<-`. */
export function chompTabs(content: string): string {
  return content.replace(/^\t+/gm, '');
}

function countQuotes(text: string): number {
  return text.length - text.replace(/['"]/g, '').length;
}

import { closestMatch } from '@boxwright/errors';
import { DockerfileError, type DockerfileErrorCode } from './dockerfile-error.ts';
import { isSeparator, isSpace, skipSpace, trimmedEnd } from './go-space.ts';
import type { Heredoc, InstructionBase } from './instructions.ts';
import { instructionRange, instructionText, joinedRange, type LogicalLine } from './logical-line.ts';
import type { Source } from './source.ts';
import type { Word } from './words.ts';

/** A logical line taken apart into instruction word, flags and the rest, not yet typed. */
export interface Statement {
  readonly source: Source;
  readonly line: LogicalLine;
  readonly escape: '\\' | '`';
  /** Offset of the instruction word in the joined line: not 0 for what follows ONBUILD. */
  readonly start: number;
  /** The instruction word as written. */
  readonly word: string;
  readonly flags: readonly Word[];
  /** What follows the flags, trimmed. */
  readonly rest: string;
  /** Offset of `rest` in the joined line. */
  readonly restStart: number;
  readonly heredocs: readonly Heredoc[];
}

/** Takes the joined line apart, from `start`. */
export function splitStatement(
  source: Source,
  line: LogicalLine,
  escape: '\\' | '`',
  start: number,
): Omit<Statement, 'heredocs'> {
  const text = line.text;
  const wordStart = skipSpace(text, start);
  let wordEnd = wordStart;
  while (wordEnd < text.length && !isSeparator(text.charCodeAt(wordEnd))) wordEnd++;
  const end = trimmedEnd(text);
  const { flags, restStart } = readFlags(text, wordEnd, end);
  return {
    source,
    line,
    escape,
    start: wordStart,
    word: text.slice(wordStart, Math.max(wordStart, Math.min(wordEnd, end))),
    flags,
    rest: text.slice(restStart, Math.max(restStart, end)),
    restStart,
  };
}

/**
 * The words that start with `--`, up to the first that does not, or past a lone `--`. Quotes group and are removed;
 * a backslash escapes, whatever the escape directive says.
 */
function readFlags(text: string, from: number, end: number): { flags: Word[]; restStart: number } {
  const flags: Word[] = [];
  let index = from;
  for (;;) {
    while (index < end && isSpace(text.charCodeAt(index))) index++;
    if (index >= end || text[index] !== '-' || text[index + 1] !== '-') return { flags, restStart: index };
    const start = index;
    let word = '';
    let quote = '';
    for (; index < end; index++) {
      let character = text[index] ?? '';
      if (quote === '' && isSpace(text.charCodeAt(index))) break;
      if (character === quote) {
        quote = '';
        continue;
      }
      if (quote === '' && (character === "'" || character === '"')) {
        quote = character;
        continue;
      }
      if (character === '\\') {
        if (index + 1 === end) continue;
        index++;
        character = text[index] ?? '';
      }
      word += character;
    }
    if (word === '--') return { flags, restStart: skipSpace(text, index) };
    flags.push({ text: word, start, end: index });
  }
}

/** What every instruction carries. */
export function baseOf(statement: Statement): InstructionBase {
  const whole = instructionRange(statement.source, statement.line);
  const nested = statement.start > skipSpace(statement.line.text, 0);
  const at = nested
    ? joinedRange(statement.source, statement.line, statement.start, statement.start + 1).start
    : whole.start;
  const original = instructionText(statement.source, statement.line);
  return {
    name: statement.word.toUpperCase(),
    range: { start: at, end: whole.end },
    original: nested ? original.slice(offsetWithin(original, whole.start, at)) : original,
  };
}

/** Offset of a position in a text that begins at another position. */
function offsetWithin(
  text: string,
  start: { line: number; column: number },
  at: { line: number; column: number },
): number {
  if (at.line === start.line) return at.column - start.column;
  let offset = 0;
  for (let line = start.line; line < at.line; line++) offset = text.indexOf('\n', offset) + 1;
  return offset + at.column - 1;
}

/** An error about a piece of `rest`, or about the instruction word when no piece is given. */
export function fault(
  statement: Omit<Statement, 'heredocs'>,
  reason: string,
  where?: { readonly start: number; readonly end: number },
  extra: { readonly code?: DockerfileErrorCode; readonly hint?: string | undefined; readonly cause?: unknown } = {},
): DockerfileError {
  const start = where?.start ?? statement.start;
  const end = where?.end ?? statement.start + statement.word.length;
  return new DockerfileError(
    extra.code ?? 'DOCKERFILE_SYNTAX',
    statement.source,
    joinedRange(statement.source, statement.line, start, end),
    reason,
    { hint: extra.hint, cause: extra.cause },
  );
}

/** Place of a word of `rest` in the joined line. */
export function placeOf(statement: Statement, word: Word): { start: number; end: number } {
  return { start: statement.restStart + word.start, end: statement.restStart + word.end };
}

/** ` (did you mean X?)` when a candidate is near, else nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const match = closestMatch(word, candidates);
  return match === undefined || match === word ? '' : ` (did you mean ${match}?)`;
}

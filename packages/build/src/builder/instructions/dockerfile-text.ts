import { instructionError } from './instruction-error.ts';

/** Text in which `$NAME` and `${NAME}` stand for variables; made by {@link expand}. */
export interface ExpandedText {
  readonly expand: string;
}

/** A value of an instruction: a string means exactly its characters. */
export type DockerfileText = string | ExpandedText;

/**
 * Text whose variables the build replaces, as inside double quotes of a Dockerfile: `expand('/opt/app/bin:$PATH')`.
 * A dollar sign or a backslash that means itself has a backslash before it.
 */
export function expand(text: string): ExpandedText {
  return Object.freeze({ expand: text });
}

/** Characters that mean themselves in every word of every instruction. */
const plain = /^[\p{L}\p{N}_./@%+,:=~^-]+$/u;

/** True when a word can stand as it is: nothing in it is special, and it cannot be taken for a flag. */
export function isPlainWord(text: string): boolean {
  return plain.test(text) && !text.startsWith('-');
}

/**
 * A word that expands to the text, whatever that holds: as it is, else in double quotes.
 *
 * @throws BoxwrightError INSTRUCTION_INVALID for line breaks, NUL and text that is no Unicode: no instruction can hold them
 */
export function quoteWord(instruction: string, text: DockerfileText): string {
  if (typeof text !== 'string') return quoteExpanded(instruction, text.expand);
  checkText(instruction, text);
  return isPlainWord(text) ? text : `"${text.replace(/[\\"$]/g, '\\$&')}"`;
}

/** Backslashes are the writer's; only quotes that have none are escaped. */
function quoteExpanded(instruction: string, text: string): string {
  checkText(instruction, text);
  if (isPlainWord(text.replace(/\$(?:[a-zA-Z_]\w*|\{[a-zA-Z_]\w*\})/g, 'x'))) return text;
  return `"${text.replace(/\\[^]|"/g, (part) => (part === '"' ? '\\"' : part))}"`;
}

/** The text of a value, for checks and messages. */
export function rawText(text: DockerfileText): string {
  return typeof text === 'string' ? text : text.expand;
}

/** @throws BoxwrightError INSTRUCTION_INVALID */
export function checkText(instruction: string, text: string): void {
  if (/[\n\r]/.test(text)) throw instructionError(instruction, text, 'it has a line break');
  checkCharacters(instruction, text);
}

/** Line breaks are fine here: JSON and heredocs can hold them. @throws BoxwrightError INSTRUCTION_INVALID */
export function checkCharacters(instruction: string, text: string): void {
  if (text.includes('\0')) throw instructionError(instruction, text, 'it has a NUL byte');
  if (!text.isWellFormed())
    throw instructionError(instruction, text, 'it is no Unicode text (half of a surrogate pair)');
}

/** A JSON array as Dockerfiles have them: the exec form. @throws BoxwrightError INSTRUCTION_INVALID */
export function jsonArray(instruction: string, values: readonly string[]): string {
  for (const value of values) checkCharacters(instruction, value);
  return `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
}

/**
 * `--name=value`, the value quoted where it has to be: flags are unquoted before anything else happens to them.
 *
 * @throws BoxwrightError INSTRUCTION_INVALID
 */
export function flag(instruction: string, name: string, value: string): string {
  checkText(instruction, value);
  if (value === '') throw instructionError(instruction, value, `--${name} needs a value`);
  const quoted = /^[\p{L}\p{N}_./@%+,:=~$^-]+$/u.test(value) ? value : `"${value.replace(/[\\"]/g, '\\$&')}"`;
  return `--${name}=${quoted}`;
}

/**
 * A word without quotes around it that expands to the text; for flags and JSON arrays, where blanks do not end a word.
 * `<<` would start a heredoc.
 */
export function escapeExpansion(text: DockerfileText): string {
  return typeof text === 'string'
    ? text.replace(/[\\"'$<]/g, '\\$&')
    : text.expand.replace(/\\[^]|["'<]/g, (part) => (part.length === 1 ? `\\${part}` : part));
}

import { safeJson } from '@boxwright/errors';

/**
 * A value (or name) of ENV, LABEL and ARG: plain where nothing in it has a meaning, else in double quotes
 * (Dockerfile reference, "Environment replacement"). Line breaks cannot be written: the result then reads back otherwise.
 */
export function quoteValue(text: string): string {
  if (/^[\w./:@%+,=~^-]+$/.test(text)) return text;
  return `"${text.replace(/[\\"$]/g, String.raw`\$&`)}"`;
}

/** A text that is expanded but not split: WORKDIR, USER, STOPSIGNAL, and each word of COPY, ADD, EXPOSE and VOLUME. */
export function escapeWord(text: string): string {
  return text.replace(/[\\"'$]/g, String.raw`\$&`);
}

/** The exec form: a JSON array, in which what could steer a terminal is escaped. */
export function jsonWords(words: readonly string[]): string {
  return `[${words.map((word) => safeJson(word)).join(', ')}]`;
}

/** True for what would steer a terminal, or hide from a reader, where it stands as it is. */
export function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is searched for
  return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(text);
}

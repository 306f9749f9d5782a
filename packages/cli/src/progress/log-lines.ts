import { stripVTControlCharacters } from 'node:util';
import { escapeForTerminal } from '@boxwright/errors';

/** A line longer than this (UTF-16 code units) is handed on in pieces, so that output without newlines cannot fill the memory. */
const maxLineLength = 16 * 1024;

/** Cuts one output stream of a RUN into lines that are safe to print. Bytes that are not UTF-8 become U+FFFD. */
export class LogLines {
  readonly #decoder = new TextDecoder('utf-8');
  #partial = '';

  /** The lines that `data` completes, made safe. */
  push(data: Uint8Array): string[] {
    const text = this.#partial + this.#decoder.decode(data, { stream: true });
    const lines = text.split('\n');
    this.#partial = lines.pop() ?? '';
    while (this.#partial.length > maxLineLength) {
      lines.push(this.#partial.slice(0, maxLineLength));
      this.#partial = this.#partial.slice(maxLineLength);
    }
    return lines.map(safeLine);
  }

  /** The last line when the stream ended without a newline. */
  end(): string | undefined {
    const rest = this.#partial + this.#decoder.decode();
    this.#partial = '';
    return rest === '' ? undefined : safeLine(rest);
  }
}

/**
 * One line of foreign output as it may be shown: escape sequences are gone, of what a carriage return overwrote only
 * the last text stays (progress bars), other control characters are written out. Tabs stay.
 */
export function safeLine(line: string): string {
  const overwritten = stripVTControlCharacters(line).split('\r');
  const last = overwritten.findLast((part) => part !== '') ?? '';
  return last.split('\t').map(escapeForTerminal).join('\t');
}

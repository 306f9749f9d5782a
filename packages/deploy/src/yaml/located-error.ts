import { BoxwrightError, type BoxwrightErrorOptions, escapeForTerminal } from '@boxwright/errors';
import { renderFrame } from './frame.ts';
import type { SourceRange } from './source.ts';

/** A fault in a project file or a file of variables: says where, and shows the line with a caret. */
export class LocatedError extends BoxwrightError {
  readonly file: string;
  /** Private, as it holds the whole text of the file, which has no place in a printed error. */
  readonly #range: SourceRange;
  /** What is wrong, without file and line. */
  readonly reason: string;
  /** File, lines and caret, ready to print (already escaped for terminals). */
  readonly frame: string;

  constructor(code: string, range: SourceRange, reason: string, options: BoxwrightErrorOptions = {}) {
    const { file } = range.source;
    const { line, column } = range.start;
    super(code, escapeForTerminal(`${file}:${line}:${column}: ${reason}`), {
      ...options,
      details: { file, line, column, ...options.details },
    });
    this.file = file;
    this.#range = range;
    this.reason = reason;
    this.frame = renderFrame(range, reason);
  }

  get range(): SourceRange {
    return this.#range;
  }
}

/** Something that works, but perhaps not as meant. */
export interface LocatedWarning {
  readonly range: SourceRange;
  readonly message: string;
  readonly hint?: string | undefined;
}

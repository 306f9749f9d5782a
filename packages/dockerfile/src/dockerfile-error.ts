import { BoxwrightError, type BoxwrightErrorOptions, escapeForTerminal } from '@boxwright/errors';
import { renderFrame } from './frame.ts';
import type { SourceRange } from './instructions.ts';
import type { Source } from './source.ts';

/** Codes of {@link DockerfileError}. */
export type DockerfileErrorCode =
  /** No bytes, no instruction, or no FROM. */
  | 'DOCKERFILE_EMPTY'
  /** A line, the file or an expanded value is beyond its limit. */
  | 'DOCKERFILE_TOO_LARGE'
  | 'DOCKERFILE_UNKNOWN_INSTRUCTION'
  | 'DOCKERFILE_UNKNOWN_FLAG'
  /** An instruction is written wrongly. */
  | 'DOCKERFILE_SYNTAX'
  /** A variable could not be expanded. */
  | 'DOCKERFILE_EXPANSION'
  /** `--target`, `COPY --from=N` or the like names a stage that is not there or comes later. */
  | 'DOCKERFILE_UNKNOWN_STAGE'
  | 'DOCKERFILE_CIRCULAR_STAGES';

/**
 * A fault in a Dockerfile: says where, and shows the line with a caret. Faults found after parsing (a source that is
 * missing, a command that failed) keep their own code.
 */
export class DockerfileError extends BoxwrightError {
  readonly file: string;
  readonly range: SourceRange;
  /** What is wrong, without file and line. */
  readonly reason: string;
  /** File, lines and caret, ready to print (already escaped for terminals). */
  readonly frame: string;

  constructor(
    code: DockerfileErrorCode | (string & {}),
    source: Source,
    range: SourceRange,
    reason: string,
    options: BoxwrightErrorOptions = {},
  ) {
    const where = `${source.file}:${range.start.line}:${range.start.column}`;
    super(code, escapeForTerminal(`${where}: ${reason}`), {
      ...options,
      details: { file: source.file, line: range.start.line, column: range.start.column, ...options.details },
    });
    this.file = source.file;
    this.range = range;
    this.reason = reason;
    this.frame = renderFrame(source, range, reason);
  }
}

import { BoxwrightError, type BoxwrightErrorOptions, isBoxwrightError } from '@boxwright/errors';

/** What errors of builds and pushes carry beside those of {@link BoxwrightError}. */
export interface EngineErrorOptions extends BoxwrightErrorOptions {
  /** The last lines that the failed step printed. */
  readonly logTail?: readonly string[];
}

/**
 * A build failed. Code, message, hint and details are those of what went wrong (`RUN_FAILED`, `COPY_SOURCE_NOT_FOUND`, …),
 * which is the `cause`; a fault in the Dockerfile keeps its frame.
 */
export class BuildError extends BoxwrightError {
  readonly logTail: readonly string[];
  /** The Dockerfile's line with a caret, where the fault is in one. */
  readonly frame: string | undefined;
  readonly file: string | undefined;

  constructor(code: string, message: string, options: EngineErrorOptions = {}) {
    super(code, message, options);
    this.logTail = options.logTail ?? [];
    this.frame = textOf(options.cause, 'frame');
    this.file = textOf(options.cause, 'file');
  }
}

/** A push failed. Code, message, hint and details are those of what went wrong, which is the `cause`. */
export class PushError extends BoxwrightError {
  readonly logTail: readonly string[];

  constructor(code: string, message: string, options: EngineErrorOptions = {}) {
    super(code, message, options);
    this.logTail = options.logTail ?? [];
  }
}

/**
 * The error of ours as one of the family; anything else (an abort, a fault of the operating system or of this program) is
 * returned as it is.
 */
export function inFamily(
  Family: new (code: string, message: string, options: EngineErrorOptions) => BoxwrightError,
  error: unknown,
  logTail: readonly string[],
): unknown {
  if (!isBoxwrightError(error) || error instanceof Family) return error;
  const { code, message, hint, details } = error;
  return new Family(code, message, { hint, details, cause: error, logTail });
}

function textOf(error: unknown, key: 'frame' | 'file'): string | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** What a {@link BoxwrightError} may carry beside its message. */
export interface BoxwrightErrorOptions {
  /** What the user can do about it: one or two sentences. */
  readonly hint?: string | undefined;
  /** The error this one came from. */
  readonly cause?: unknown;
  /** Machine-readable facts (digests, paths, exit codes) for `--format json` and for tests. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The one error style: a stable `code` that scripts may test, a message that says what, where and why,
 * a `hint` that says what to do, and the `cause`. Never match on the message.
 */
export class BoxwrightError extends Error {
  /** Stable, SCREAMING_SNAKE_CASE, listed in docs/errors.md. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: BoxwrightErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** The command was called wrongly: exit code 2 instead of 1. */
export class UsageError extends BoxwrightError {
  constructor(message: string, options: BoxwrightErrorOptions = {}) {
    super('USAGE', message, options);
  }
}

/** True for an error of ours, also one that crossed a realm or was made by another copy of this package. */
export function isBoxwrightError(error: unknown): error is BoxwrightError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'details' in error;
}

import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { TaskName } from './tasks.ts';

/** What the pool sends to a worker. */
export interface TaskRequest {
  readonly id: number;
  readonly name: TaskName;
  readonly args: readonly unknown[];
}

/** What a worker answers. */
export type TaskReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: TaskFailure };

/** An error in a form that survives the structured clone: its code, hint and details do not by themselves. */
export interface TaskFailure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly system:
    | { readonly syscall: string | undefined; readonly path: string | undefined; readonly errno: number | undefined }
    | undefined;
}

export function toFailure(error: unknown): TaskFailure {
  if (!(error instanceof Error)) {
    return {
      message: String(error),
      stack: undefined,
      code: undefined,
      hint: undefined,
      details: undefined,
      system: undefined,
    };
  }
  const ours = isBoxwrightError(error);
  const { code, syscall, path, errno } = error as NodeJS.ErrnoException; // Every property is optional there.
  return {
    message: error.message,
    stack: error.stack,
    code,
    hint: ours ? error.hint : undefined,
    details: ours ? error.details : undefined,
    system: ours || syscall === undefined ? undefined : { syscall, path, errno },
  };
}

/** The error as it was in the worker: a BoxwrightError again, or an Error with its system call's facts. */
export function fromFailure(failure: TaskFailure): Error {
  if (failure.details !== undefined && failure.code !== undefined) {
    return new BoxwrightError(failure.code, failure.message, { hint: failure.hint, details: failure.details });
  }
  const error = Object.assign(
    new Error(failure.message),
    failure.code === undefined ? {} : { code: failure.code },
    failure.system ?? {},
  );
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

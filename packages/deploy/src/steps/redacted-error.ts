import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { isPlainObject, LocatedError, toPlainValue } from '../yaml/index.ts';
import type { Redactor } from './redactor.ts';

/** What may be shown of an error that is not about a place in a file: those are made without secrets. */
export function redactedError(error: unknown, redactor: Redactor): unknown {
  if (!isBoxwrightError(error) || error instanceof LocatedError) return error;
  const { code, message, hint, details } = error;
  return new BoxwrightError(code, redactor.redact(message), {
    hint: hint === undefined ? undefined : redactor.redact(hint),
    details: redactedDetails(details, redactor),
    cause: error,
  });
}

/** Details go out with errors as JSON. */
export function redactedDetails(details: BoxwrightError['details'], redactor: Redactor): BoxwrightError['details'] {
  const plain = toPlainValue(JSON.parse(JSON.stringify(details)));
  return isPlainObject(plain) ? redactor.redactObject(plain) : {};
}

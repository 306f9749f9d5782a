import { BoxwrightError } from '@boxwright/errors';

/**
 * The error for an archive that cannot be read: `TAR_INVALID`, with the byte offset of the header (or record) at fault
 * in the message and in `details.offset`.
 */
export function tarInvalid(
  what: string,
  offset: number,
  options: { hint?: string; limit?: string } = {},
): BoxwrightError {
  return new BoxwrightError('TAR_INVALID', `tar archive is not valid at byte ${offset}: ${what}`, {
    hint: options.hint,
    details: options.limit === undefined ? { offset } : { offset, limit: options.limit },
  });
}

/** A cap of {@link TarLimits} was met: still `TAR_INVALID`, with `details.limit` naming the cap. */
export function tarLimit(what: string, offset: number, limit: string): BoxwrightError {
  return tarInvalid(what, offset, { limit, hint: `If the archive is trusted, raise the limit ${limit}.` });
}

import { BoxwrightError } from '@boxwright/errors';

/** Compressed bytes that are damaged or cut: `COMPRESSION_INVALID`. */
export function compressionInvalid(kind: string, what: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('COMPRESSION_INVALID', `the ${kind} data is not valid: ${what}`, {
    hint: 'The file is damaged or truncated: fetch or make it again.',
    cause,
    details: { kind },
  });
}

/** A cap of the expansion limits was met: `COMPRESSION_LIMIT`. */
export function compressionLimit(kind: string, what: string, limit: string): BoxwrightError {
  return new BoxwrightError('COMPRESSION_LIMIT', `refused to expand the ${kind} data further: ${what}`, {
    hint: `This is how decompression bombs look. If the data is trusted, raise the limit ${limit}.`,
    details: { kind, limit },
  });
}

/** This Node or this machine cannot do it: `COMPRESSION_UNSUPPORTED`. */
export function compressionUnsupported(kind: string, what: string, hint: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('COMPRESSION_UNSUPPORTED', `${kind}: ${what}`, { hint, cause, details: { kind } });
}

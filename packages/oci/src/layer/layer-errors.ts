import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { ByteString } from '../bytes.ts';
import { errorCode } from './attributes.ts';
import { displayPath, MAX_LINKS } from './layer-path.ts';

/** `LAYER_LINK_INVALID`: a link that leads nowhere it may lead. */
export function invalidLink(path: ByteString, why: string): BoxwrightError {
  return new BoxwrightError('LAYER_LINK_INVALID', `layer entry ${quoted(path)} ${why}`, {
    hint: 'The layer is broken: hard links must name a file that the same layer holds before them.',
  });
}

/** `LAYER_LINK_INVALID` for symlinks of a layer that lead back to themselves. */
export function tooManyLinks(path: ByteString): BoxwrightError {
  return new BoxwrightError('LAYER_LINK_INVALID', `layer entry ${quoted(path)} goes through over ${MAX_LINKS} links`, {
    hint: 'The layer is broken: its links lead back to themselves.',
  });
}

/** `LAYER_NOT_A_DIRECTORY`: the layer has entries below its own `what`. */
export function notADirectory(path: ByteString, what: string): BoxwrightError {
  const message = `layer entry ${quoted(path)} is ${what}, but the layer has entries below it`;
  return new BoxwrightError('LAYER_NOT_A_DIRECTORY', message, {
    hint: 'The layer is broken: the same layer must not have content below something that is not a directory.',
  });
}

/** `LAYER_LIMIT`: more than the limits of unpacking allow. */
export function overLimit(limit: string, value: number): BoxwrightError {
  return new BoxwrightError('LAYER_LIMIT', `the layer has more than ${value} ${limit}`, {
    hint: 'If it is honest, raise the limit of that name.',
    details: { limit, value },
  });
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room and try again.',
  EDQUOT: 'The disk quota is used up: make room and try again.',
  EPERM: 'Keeping owners and devices takes root, or a user namespace: without it unpack with owners ignored.',
  EINVAL: 'Within a user namespace this may be an owner that the namespace does not map.',
  EROFS: 'The target is on a file system that is mounted read-only.',
};

/** An error of the file system as `LAYER_UNPACK`, said of the layer's path; errors of ours are given back as they are. */
export function unpackError(path: ByteString, error: unknown): Error {
  if (isBoxwrightError(error)) return error;
  const code = errorCode(error);
  // The message of a system error names /proc/self/fd/N, which helps nobody.
  const why = code ?? (error instanceof Error ? error.message : String(error));
  return new BoxwrightError('LAYER_UNPACK', `cannot unpack layer entry ${quoted(path)}: ${why}`, {
    hint: code === undefined ? undefined : hints[code],
    cause: error,
    details: { path: displayPath(path), ...(code === undefined ? undefined : { errno: code }) },
  });
}

function quoted(path: ByteString): string {
  return JSON.stringify(displayPath(path));
}

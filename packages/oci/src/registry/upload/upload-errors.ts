import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../../documents/descriptor.ts';
import type { Digest } from '../../names/digest.ts';
import { type RepositoryName, repositoryKey } from '../repository-name.ts';

/**
 * An answer after which an upload goes on in another way. Never leaves this folder.
 *
 * - `lost`: the session is gone or not usable any more, start over
 * - `damaged`: the registry has other bytes than were sent (DIGEST_INVALID), start over
 * - `range`: the registry is at another offset than we thought, ask it
 * - `too-large`: the body was refused for its size, send smaller ones
 * - `no-chunks`: the registry knows no PATCH, send all in one
 */
export class Setback extends Error {
  readonly kind: 'lost' | 'damaged' | 'range' | 'too-large' | 'no-chunks';
  /** What the registry said. */
  readonly answer: string;

  constructor(kind: Setback['kind'], answer: string) {
    super(answer);
    this.kind = kind;
    this.answer = answer;
  }
}

/** The upload cannot be finished. */
export function uploadFailed(
  repository: RepositoryName,
  what: string,
  why: string,
  more: { readonly hint?: string; readonly cause?: unknown } = {},
): BoxwrightError {
  const place = repositoryKey(repository);
  return new BoxwrightError('UPLOAD_FAILED', escapeForTerminal(`${place}: cannot upload ${what}: ${why}`), {
    hint: more.hint ?? 'Try again: what the registry has kept of it is not sent a second time.',
    cause: more.cause,
    details: { registry: repository.registry, repository: repository.path },
  });
}

/** The content is not what its descriptor says: nothing of it was committed. */
export function contentMismatch(
  { digest, size, mediaType }: Descriptor,
  actual: { readonly size: string } | { readonly digest: Digest },
): BoxwrightError {
  const why =
    'size' in actual
      ? `has ${actual.size} bytes where its descriptor (${mediaType}) says ${size}`
      : `has the digest ${actual.digest}`;
  return new BoxwrightError('BLOB_MISMATCH', `the content of ${digest} ${why}; it was not uploaded`, {
    hint: 'The content was damaged or exchanged on its way or on disk: fetch it again.',
    details: { digest, ...('size' in actual ? { expected: size } : { expected: digest, actual: actual.digest }) },
  });
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Digest } from '../names/digest.ts';

/** Hash algorithms that content may be named by: OCI image-spec descriptor.md "Registered algorithms". */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** A digest's two halves. */
export interface DigestParts {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hex of the algorithm's length. */
  readonly hex: string;
}

/**
 * Takes a digest apart for use in a path. Checked here again, although the type says it was parsed: it is what stands
 * between a hostile document and the file system (threat: a digest used as a path).
 *
 * @throws BoxwrightError DIGEST_INVALID
 */
export function digestParts(digest: string): DigestParts {
  const match = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/.exec(digest);
  if (match?.[1] === 'sha256' && match[2] !== undefined) return { algorithm: 'sha256', hex: match[2] };
  if (match?.[3] === 'sha512' && match[4] !== undefined) return { algorithm: 'sha512', hex: match[4] };
  throw new BoxwrightError('DIGEST_INVALID', `not a digest: ${escapeForTerminal(String(digest).slice(0, 200))}`, {
    hint: 'expected sha256:<64 lower-case hex digits>',
  });
}

/** The digest made of its halves. */
export function joinDigest({ algorithm, hex }: DigestParts): Digest {
  // The two halves have been checked or were just computed: that is what the brand says.
  return `${algorithm}:${hex}` as Digest;
}

/** The digest named by a file `<algorithm>/<hex>`, or undefined for a foreign name. */
export function digestFromNames(algorithm: string, hex: string): Digest | undefined {
  try {
    return joinDigest(digestParts(`${algorithm}:${hex}`));
  } catch {
    return undefined;
  }
}

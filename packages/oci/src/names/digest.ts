import { createHash, type Hash } from 'node:crypto';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

declare const digestBrand: unique symbol;

/** `sha256:<64 lower-case hex>` or `sha512:<128 lower-case hex>`, checked by {@link parseDigest}. */
export type Digest = `${string}:${string}` & { readonly [digestBrand]: true };

/** The algorithms that OCI image-spec descriptor.md registers and that are accepted here. */
export type DigestAlgorithm = 'sha256' | 'sha512';

const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True for text that {@link parseDigest} takes. Only such text may become part of a path (threats D1). */
export function isDigest(text: string): text is Digest {
  return digestPattern.test(text);
}

/**
 * Checks a digest that came from outside: OCI image-spec descriptor.md "Digests".
 *
 * @throws BoxwrightError `DIGEST_INVALID`
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = escapeForTerminal(text.length > 160 ? `${text.slice(0, 160)}...` : text);
  throw new BoxwrightError('DIGEST_INVALID', `"${shown}" is not a digest`, { hint: digestHint(text) });
}

function digestHint(text: string): string {
  const expected = 'A digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal digits.';
  const algorithm = /^([a-z0-9+._-]{1,32}):/i.exec(text)?.[1];
  if (isDigest(text.toLowerCase())) return 'Write it in lower case.';
  if (algorithm !== undefined && algorithm !== 'sha256' && algorithm !== 'sha512') {
    return `Images with ${algorithm} digests are not supported. ${expected}`;
  }
  return expected;
}

/** The part before the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal part: safe as a file name. */
export function digestHex(digest: Digest): string {
  return digest.slice(7);
}

/** The digest of bytes, or of text as UTF-8. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return digestFromHash(createHash(algorithm).update(bytes), algorithm);
}

/** Ends a hash that was fed by the caller (`createHash(algorithm)`, chunk by chunk) and names what it saw. */
export function digestFromHash(hash: Hash, algorithm: DigestAlgorithm = 'sha256'): Digest {
  // The cast makes the brand: hex output of these two algorithms is what the pattern asks for.
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

import { createHash } from 'node:crypto';
import { BoxwrightError } from '@boxwright/errors';
import { digestAlgorithm, digestFromHash } from '../names/digest.ts';
import { type BlobContent, checkedContent } from '../registry/upload/upload.ts';
import type { EncodedSize } from './layer-encoder.ts';

/** What came of the check that {@link verifiedContent} makes. */
export interface EncodingCheck {
  /** True when encoding gave other bytes than the last time. */
  differs: boolean;
}

/**
 * Content whose last piece is held back until all of it was found to be what a descriptor says: what is encoded again
 * could come out differently (another library behind the same version).
 */
export function verifiedContent(content: BlobContent, expected: EncodedSize, check: EncodingCheck): BlobContent {
  return checkedContent(async function* verified(offset, signal) {
    const algorithm = digestAlgorithm(expected.digest);
    const hash = createHash(algorithm);
    let read = 0;
    let held: Uint8Array | undefined;
    for await (const piece of content(0, signal)) {
      if (held !== undefined) yield held;
      hash.update(piece);
      const skip = Math.min(piece.length, Math.max(0, offset - read));
      read += piece.length;
      // Encoders give each piece memory of its own, so it may be held back.
      held = skip === piece.length ? undefined : piece.subarray(skip);
    }
    const digest = digestFromHash(hash, algorithm);
    if (digest !== expected.digest || read !== expected.size) {
      check.differs = true;
      throw new BoxwrightError('BLOB_MISMATCH', `encoding gave ${digest}, the last time ${expected.digest}`);
    }
    if (held !== undefined) yield held;
  });
}

import { type Digest, isDigest } from '@boxwright/oci';

/** A value of an engine's answer, if it is a digest. */
export function digestIn(value: unknown): Digest | undefined {
  return typeof value === 'string' && isDigest(value) ? value : undefined;
}

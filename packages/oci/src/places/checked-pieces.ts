import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { digestAlgorithm, digestFromHash } from '../names/digest.ts';
import type { ReadBlobOptions } from './place.ts';

const pieceSize = 1024 * 1024;

/** Where the bytes of a blob lie. */
export interface FileRange {
  /** Open for reading; its position does not matter and does not move. */
  readonly fd: number;
  /** Offset of the first byte. */
  readonly start: number;
  /** Of the place, for messages. */
  readonly description: string;
}

/**
 * A blob's bytes from a file, as `ImageSource.readBlob` gives them: the last piece comes only after all bytes were found
 * to be right, those before the offset included. All pieces are one buffer.
 *
 * @throws BoxwrightError BLOB_MISMATCH
 */
export function* checkedPieces(
  { fd, start, description }: FileRange,
  descriptor: Descriptor,
  { offset = 0, signal }: ReadBlobOptions = {},
): Generator<Buffer, void, undefined> {
  const { size, digest } = descriptor;
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  const check = (): void => {
    const actual = digestFromHash(hash, algorithm);
    if (actual !== digest) throw blobDamaged(description, descriptor, `its bytes have the digest ${actual}`);
  };
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(pieceSize, size)));
  let read = 0;
  while (read < size) {
    signal?.throwIfAborted();
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, size - read), start + read);
    if (count === 0) throw blobDamaged(description, descriptor, 'it became shorter while it was read');
    hash.update(buffer.subarray(0, count));
    const piece = buffer.subarray(Math.min(count, Math.max(0, offset - read)), count);
    read += count;
    if (read === size) check();
    if (piece.length > 0) yield piece;
  }
  if (size === 0) check();
}

/** The error for a blob whose bytes are not those of its descriptor. */
export function blobDamaged(description: string, { digest }: Descriptor, why: string): BoxwrightError {
  return new BoxwrightError('BLOB_MISMATCH', `${description}: blob ${digest} is damaged: ${why}`, {
    hint: 'copy the image again from where it came',
    details: { digest },
  });
}

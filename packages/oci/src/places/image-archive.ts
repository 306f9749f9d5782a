import { BoxwrightError } from '@boxwright/errors';
import { type Descriptor, verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { breathing } from './breathing.ts';
import { blobDamaged, checkedPieces } from './checked-pieces.ts';
import type { ImageSource, PlacedImage, ReadBlobOptions } from './place.ts';
import type { TarMember, TarMembers } from './tar-members.ts';

/** A tar archive with images, read where it lies. */
export interface ImageArchive extends ImageSource {
  readonly images: readonly PlacedImage[];
  close(): void;
}

/** What an archive has of {@link ImageSource}, given where a blob lies in it. */
export function memberContent(
  members: TarMembers,
  description: string,
  memberOf: (descriptor: Descriptor) => TarMember | undefined,
): Pick<ImageArchive, 'has' | 'readDocument' | 'readBlob'> {
  const required = (descriptor: Descriptor): TarMember => {
    const member = memberOf(descriptor);
    if (member === undefined) throw blobMissing(description, descriptor);
    if (member.size === descriptor.size) return member;
    throw blobDamaged(description, descriptor, `it has ${member.size} bytes, not ${descriptor.size}`);
  };
  const piecesOf = function* (descriptor: Descriptor, options?: ReadBlobOptions): Generator<Buffer, void, undefined> {
    yield* checkedPieces({ fd: members.fd, start: required(descriptor).start, description }, descriptor, options);
  };
  return {
    has: async (descriptor) => memberOf(descriptor) !== undefined,
    readDocument: async (descriptor) => {
      const bytes = required(descriptor).read(documentLimits.configBytes);
      verifyBytes(bytes, descriptor);
      return bytes;
    },
    readBlob: (descriptor, options) => breathing(piecesOf(descriptor, options), options?.signal),
  };
}

/** The error for a blob that a place lacks. */
export function blobMissing(description: string, { digest }: Descriptor): BoxwrightError {
  return new BoxwrightError('BLOB_MISSING', `${description} lacks the blob ${digest}`, { details: { digest } });
}

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { fromByteString } from '../bytes.ts';
import { DETECTION_BYTES, detectCompression } from '../compress/detect-compression.ts';
import { type Descriptor, verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { digestAlgorithm, digestHex, parseDigest } from '../names/digest.ts';
import { scanTar } from '../tar/scan-tar.ts';
import { breathing } from './breathing.ts';
import { blobDamaged, checkedPieces } from './checked-pieces.ts';
import { checkLayoutFile, imagesIn, namedImage, readLayoutIndex } from './layout-index.ts';
import { layoutReferrers } from './layout-referrers.ts';
import { blobMissing } from './oci-layout.ts';
import type { ImageSource, PlacedImage, ReadBlobOptions } from './place.ts';

/** A tar archive with an OCI image layout, read where it lies. */
export interface OciArchive extends ImageSource {
  /** What `index.json` names. */
  readonly images: readonly PlacedImage[];
  close(): void;
}

interface Member {
  readonly start: number;
  readonly size: number;
}

/** No image archive has nearly as many files; bounds memory. */
const maxMembers = 100_000;
const layoutFileLimit = 4096;

/**
 * Opens an OCI archive without unpacking it: only the headers are read, content when it is asked for. Undefined for what
 * cannot be read in any order: a pipe, a compressed archive, one whose layout is made of links or is none at all. Those
 * are for `loadArchive`.
 *
 * @throws BoxwrightError TAR_INVALID, LAYOUT_INVALID, what reading an index throws, and the file system's errors
 */
export function openOciArchive(path: string): OciArchive | undefined {
  // Without waiting for somebody to write into a FIFO.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let archive: OciArchive | undefined;
  try {
    if (fstatSync(fd).isFile() && isPlain(fd)) archive = archiveAt(fd, escapeForTerminal(path));
  } finally {
    if (archive === undefined) closeSync(fd);
  }
  return archive;
}

function isPlain(fd: number): boolean {
  const start = Buffer.alloc(DETECTION_BYTES);
  return detectCompression(start.subarray(0, readSync(fd, start, 0, start.length, 0))) === 'none';
}

function archiveAt(fd: number, where: string): OciArchive | undefined {
  const members = listMembers(fd, where);
  const read = (member: Member | undefined, limit: number, name: string): Buffer | undefined =>
    member === undefined ? undefined : readMember(fd, member, limit, `${name} in ${where}`);
  const index = read(members?.get('index.json'), documentLimits.manifestBytes, 'index.json');
  const layoutFile = read(members?.get('oci-layout'), layoutFileLimit, 'oci-layout');
  if (members === undefined || index === undefined || layoutFile === undefined) return undefined;
  checkLayoutFile(layoutFile, where);
  const description = `OCI archive ${where}`;
  const images = imagesIn(readLayoutIndex(index));
  const memberOf = (descriptor: Descriptor): Member => {
    const member = members.get(memberName(descriptor));
    if (member === undefined) throw blobMissing(description, descriptor);
    if (member.size === descriptor.size) return member;
    throw blobDamaged(description, descriptor, `it has ${member.size} bytes, not ${descriptor.size}`);
  };
  const piecesOf = function* (descriptor: Descriptor, options?: ReadBlobOptions): Generator<Buffer, void, undefined> {
    yield* checkedPieces({ fd, start: memberOf(descriptor).start, description }, descriptor, options);
  };
  const content: Pick<OciArchive, 'has' | 'readDocument'> = {
    has: async (descriptor) => members.has(memberName(descriptor)),
    readDocument: async (descriptor) => {
      const bytes = readMember(
        fd,
        memberOf(descriptor),
        documentLimits.configBytes,
        `${descriptor.digest} in ${where}`,
      );
      verifyBytes(bytes, descriptor);
      return bytes;
    },
  };
  return {
    description,
    images,
    ...content,
    readBlob: (descriptor, options) => breathing(piecesOf(descriptor, options), options?.signal),
    resolve: async (name) => namedImage(images, name)?.descriptor,
    referrers: layoutReferrers(images, content),
    close: () => {
      closeSync(fd);
    },
  };
}

/** Plain files by path; undefined where links or sparse files stand for content. */
function listMembers(fd: number, where: string): Map<string, Member> | undefined {
  const members = new Map<string, Member>();
  for (const { entry, dataOffset, sparse } of scanTar(fd)) {
    if (members.size >= maxMembers) {
      throw new BoxwrightError('ARCHIVE_INVALID', `${where} has more than ${maxMembers} files`);
    }
    if (entry.type === 'symlink' || entry.type === 'hardlink' || sparse !== undefined) return undefined;
    // Of two files with one name the last counts, as everywhere in tar.
    if (entry.type === 'file') {
      members.set(posix.normalize(fromByteString(entry.path)), { start: dataOffset, size: entry.size });
    }
  }
  return members;
}

function readMember(fd: number, { start, size }: Member, limit: number, what: string): Buffer {
  if (size > limit) {
    throw new BoxwrightError('DOCUMENT_TOO_LARGE', `${what} has ${size} bytes, more than ${limit}`);
  }
  const bytes = Buffer.alloc(size);
  let filled = 0;
  for (let count = -1; count !== 0 && filled < size; filled += count) {
    count = readSync(fd, bytes, filled, size - filled, start + filled);
  }
  return bytes.subarray(0, filled);
}

function memberName({ digest }: Descriptor): string {
  parseDigest(digest);
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { fromByteString } from '../bytes.ts';
import { DETECTION_BYTES, detectCompression } from '../compress/detect-compression.ts';
import { scanTar } from '../tar/scan-tar.ts';

/** A plain file inside an archive. */
export interface TarMember {
  /** Offset of its first byte in the archive. */
  readonly start: number;
  readonly size: number;
  /** The whole content of a small one. @throws BoxwrightError DOCUMENT_TOO_LARGE */
  read(limit: number): Buffer;
}

/** A tar archive on disk of which the headers were read, and whose content is read where it lies. */
export interface TarMembers {
  /** Open for reading; its position does not matter. */
  readonly fd: number;
  /** Its path, for messages. */
  readonly description: string;
  /** By path, links followed. */
  file(path: string): TarMember | undefined;
  close(): void;
}

/** No image archive has nearly as many files; bounds memory. */
const maxMembers = 100_000;
/** A link to a link to a link: two are seen in the wild. */
const maxLinks = 8;

/**
 * Reads the headers of an archive. Undefined for what cannot be read in any order: a pipe, a compressed archive, one with
 * sparse files. Those are for `loadArchive`.
 *
 * @throws BoxwrightError TAR_INVALID, ARCHIVE_INVALID (too many files), and the file system's errors
 */
export function openTarMembers(path: string): TarMembers | undefined {
  // Without waiting for somebody to write into a FIFO.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let members: TarMembers | undefined;
  try {
    if (fstatSync(fd).isFile() && isPlain(fd, 0)) members = listMembers(fd, escapeForTerminal(path));
  } finally {
    if (members === undefined) closeSync(fd);
  }
  return members;
}

/** True for what is not compressed, judged by what it begins with. */
export function isPlain(fd: number, start: number, size: number = DETECTION_BYTES): boolean {
  const bytes = Buffer.alloc(Math.min(size, DETECTION_BYTES));
  return detectCompression(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start))) === 'none';
}

function listMembers(fd: number, description: string): TarMembers | undefined {
  const files = new Map<string, TarMember>();
  // Only ever looked up among this archive's own files, so a link cannot lead anywhere else.
  const links = new Map<string, string>();
  for (const { entry, dataOffset, sparse } of scanTar(fd)) {
    if (files.size + links.size >= maxMembers) {
      throw new BoxwrightError('ARCHIVE_INVALID', `${description} has more than ${maxMembers} files`);
    }
    if (sparse !== undefined) return undefined;
    const { type, size } = entry;
    if (type !== 'file' && type !== 'symlink' && type !== 'hardlink') continue;
    const path = posix.normalize(fromByteString(entry.path));
    // Of two with one name the last counts, as everywhere in tar.
    files.delete(path);
    links.delete(path);
    if (type === 'file') {
      const read = (limit: number): Buffer => readMember(fd, dataOffset, size, limit, `${path} in ${description}`);
      files.set(path, { start: dataOffset, size, read });
    } else {
      const target = fromByteString(entry.linkName ?? entry.path);
      links.set(path, posix.normalize(type === 'symlink' ? posix.join(posix.dirname(path), target) : target));
    }
  }
  return {
    fd,
    description,
    file: (path) => {
      let current: string | undefined = posix.normalize(path);
      for (let followed = 0; current !== undefined && followed <= maxLinks; followed++) {
        const file = files.get(current);
        if (file !== undefined) return file;
        current = links.get(current);
      }
      return undefined;
    },
    close: () => {
      closeSync(fd);
    },
  };
}

function readMember(fd: number, start: number, size: number, limit: number, what: string): Buffer {
  if (size > limit) {
    throw new BoxwrightError('DOCUMENT_TOO_LARGE', `${escapeForTerminal(what)} has ${size} bytes, more than ${limit}`);
  }
  const bytes = Buffer.alloc(size);
  let filled = 0;
  for (let count = -1; count !== 0 && filled < size; filled += count) {
    count = readSync(fd, bytes, filled, size - filled, start + filled);
  }
  return bytes.subarray(0, filled);
}

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { digestAlgorithm, digestHex, parseDigest } from '../names/digest.ts';
import { breathing } from './breathing.ts';
import { blobDamaged, checkedPieces } from './checked-pieces.ts';
import { blobMissing } from './image-archive.ts';
import { checkLayoutFile, imagesIn, layoutInvalid, namedImage, readLayoutIndex } from './layout-index.ts';
import { layoutReferrers } from './layout-referrers.ts';
import type { ImageSource, PlacedImage, ReadBlobOptions } from './place.ts';

const layoutFileLimit = 4096;

/** An OCI image layout directory (OCI image-spec image-layout.md) to read from. */
export interface OciLayout extends ImageSource {
  readonly path: string;
  /** What `index.json` names. */
  readonly images: readonly PlacedImage[];
}

/**
 * Opens a layout: its `index.json` is read now, everything else when it is asked for. Blobs are regular files only:
 * a link or FIFO in their place is refused (threats D7).
 *
 * @throws BoxwrightError LAYOUT_INVALID, and what reading an index throws
 */
export function openOciLayout(path: string): OciLayout {
  const where = escapeForTerminal(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw layoutInvalid(where, 'there is no such directory');
  const index = readRegular(join(path, 'index.json'), documentLimits.manifestBytes);
  if (index === undefined) throw layoutInvalid(where, 'it has no index.json');
  const layoutFile = readRegular(join(path, 'oci-layout'), layoutFileLimit);
  if (layoutFile === undefined) throw layoutInvalid(where, 'it has no oci-layout file');
  checkLayoutFile(layoutFile, where);
  const description = `OCI layout ${where}`;
  const images = imagesIn(readLayoutIndex(index));
  const content: Pick<OciLayout, 'has' | 'readDocument'> = {
    has: async (descriptor) => {
      const fd = openRegular(blobPath(path, descriptor));
      if (fd !== undefined) closeSync(fd);
      return fd !== undefined;
    },
    readDocument: async (descriptor) => {
      const bytes = readRegular(blobPath(path, descriptor), documentLimits.configBytes);
      if (bytes === undefined) throw blobMissing(description, descriptor);
      verifyBytes(bytes, descriptor);
      return bytes;
    },
  };
  return {
    path,
    description,
    images,
    ...content,
    readBlob: (descriptor, options) => breathing(readBlob(path, description, descriptor, options), options?.signal),
    resolve: async (name) => namedImage(images, name)?.descriptor,
    referrers: layoutReferrers(images, content),
  };
}

/** Where a layout keeps a blob. Only a checked digest becomes part of a path (threats D1). */
export function blobPath(layout: string, { digest }: Pick<Descriptor, 'digest'>): string {
  parseDigest(digest);
  return join(layout, 'blobs', digestAlgorithm(digest), digestHex(digest));
}

function* readBlob(
  layout: string,
  description: string,
  descriptor: Descriptor,
  options?: ReadBlobOptions,
): Generator<Buffer, void, undefined> {
  const fd = openRegular(blobPath(layout, descriptor));
  if (fd === undefined) throw blobMissing(description, descriptor);
  try {
    const { size } = fstatSync(fd);
    if (size !== descriptor.size)
      throw blobDamaged(description, descriptor, `it has ${size} bytes, not ${descriptor.size}`);
    yield* checkedPieces({ fd, start: 0, description }, descriptor, options);
  } finally {
    closeSync(fd);
  }
}

/** A regular file, opened without following a link or waiting for a FIFO; undefined when there is nothing. */
function openRegular(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // A link (ELOOP) or a socket (ENXIO).
    if (code === 'ELOOP' || code === 'ENXIO') throw notRegular(path);
    throw error;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw notRegular(path);
}

/** A small regular file as a whole, or undefined when there is none. */
export function readRegular(path: string, limit: number): Buffer | undefined {
  const fd = openRegular(path);
  if (fd === undefined) return undefined;
  try {
    const { size } = fstatSync(fd);
    if (size > limit) {
      throw new BoxwrightError(
        'DOCUMENT_TOO_LARGE',
        `${escapeForTerminal(path)} has ${size} bytes, more than ${limit}`,
      );
    }
    const bytes = Buffer.alloc(size);
    let filled = 0;
    for (let count = -1; count !== 0 && filled < size; filled += count)
      count = readSync(fd, bytes, filled, size - filled, null);
    return bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}

function notRegular(path: string): BoxwrightError {
  return new BoxwrightError('LAYOUT_INVALID', `${escapeForTerminal(path)} is not a regular file`, {
    hint: 'an OCI layout holds plain files; links and devices are not followed',
  });
}

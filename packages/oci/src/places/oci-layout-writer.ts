import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { descriptorJson } from '../documents/descriptor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../documents/json.ts';
import { goJson } from '../documents/json-writer.ts';
import { documentLimits } from '../documents/limits.ts';
import { OCI_INDEX } from '../documents/media-types.ts';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digestFromHash } from '../names/digest.ts';
import type { BlobReceipt } from '../registry/upload/upload.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { CONTAINERD_NAME, nameAnnotations, REF_NAME } from './image-names.ts';
import { imagesIn, LAYOUT_FILE, namedImage, readLayoutIndex } from './layout-index.ts';
import { blobPath, readRegular } from './oci-layout.ts';
import type { ImageDestination, PlacedImage } from './place.ts';
import { hasWhole, type LocalContent } from './whole-documents.ts';
import { namedWriteError } from './write-error.ts';

/**
 * An OCI image layout directory to write to; made when it is not there, added to when it is. Blobs appear by rename,
 * fsynced; `index.json` last, also when others add to it at the same time. Of entries with the same name the new one
 * stays.
 *
 * @throws BoxwrightError DISK_FULL, DIRECTORY_BUSY; the file system's error, and what reading an existing index throws
 */
export function writeOciLayout(path: string): ImageDestination {
  mkdirSync(join(path, 'blobs', 'sha256'), { recursive: true });
  const placed: PlacedImage[] = [];
  const local = localContent(path);
  return {
    description: `OCI layout ${escapeForTerminal(path)}`,
    takesPartialIndexes: true,
    has: async (descriptor) => hasWhole(local, descriptor),
    localDocument: async (descriptor) => (local.has(descriptor) ? local.read(descriptor) : undefined),
    resolve: async (name) => {
      const existing = readRegular(join(path, 'index.json'), documentLimits.manifestBytes);
      return existing === undefined ? undefined : namedImage(imagesIn(readLayoutIndex(existing)), name)?.descriptor;
    },
    writeBlob: (descriptor, content, onBytes) => writeBlob(path, descriptor, content(0), onBytes),
    writeStream: (_key, content, onBytes) => writeStream(path, content(0), onBytes),
    writeManifest: (descriptor, bytes) => writeBlob(path, descriptor, [bytes]),
    place: async (image, bytes) => {
      await writeBlob(path, image.descriptor, [bytes]);
      placed.push(image);
    },
    finish: async () => {
      syncDirectory(join(path, 'blobs', 'sha256'));
      // Others may add to the same index: none of its entries must get lost in between.
      await withDirectoryLock(path, () => {
        putFile(join(path, 'oci-layout'), Buffer.from(LAYOUT_FILE));
        const existing = readRegular(join(path, 'index.json'), documentLimits.manifestBytes);
        putFile(join(path, 'index.json'), layoutIndex(placed, existing));
        syncDirectory(path);
      });
    },
    abort: async () => undefined,
    concurrency: 4,
  };
}

/** `index.json` with entries for the placed images, added to an existing one. */
export function layoutIndex(placed: readonly PlacedImage[], existing?: Uint8Array): Buffer {
  const base: JsonObject =
    existing === undefined
      ? new Map<string, JsonValue>([
          ['schemaVersion', 2],
          ['mediaType', OCI_INDEX],
        ])
      : readLayoutIndex(existing).json;
  const old = base.get('manifests');
  let entries: JsonValue[] = Array.isArray(old) ? [...old] : [];
  for (const entry of placed.flatMap(entriesOf)) {
    entries = entries.filter((other) => !replaces(entry, other));
    entries.push(entry);
  }
  return Buffer.from(goJson(new Map(base).set('manifests', entries)));
}

/** One entry per name, as Docker and skopeo have it. */
function entriesOf({ descriptor, names, refName }: PlacedImage): JsonObject[] {
  const called =
    names.length > 0 ? names.map(nameAnnotations) : [new Map(refName === undefined ? [] : [[REF_NAME, refName]])];
  return called.map((annotations) => {
    const others = [...(descriptor.annotations ?? [])].filter(([key]) => key !== REF_NAME && key !== CONTAINERD_NAME);
    return descriptorJson({ ...descriptor, annotations: new Map([...others, ...annotations]) });
  });
}

/** True when the new entry takes the place of an old one: the same full name, or the same tag where one lacks a full name. */
function replaces(entry: JsonObject, other: JsonValue): boolean {
  if (!isJsonObject(other)) return false;
  const [refName, otherRefName] = [annotation(entry, REF_NAME), annotation(other, REF_NAME)];
  const [name, otherName] = [annotation(entry, CONTAINERD_NAME), annotation(other, CONTAINERD_NAME)];
  if (refName === undefined && otherRefName === undefined) return entry.get('digest') === other.get('digest');
  return refName === otherRefName && (name === undefined || otherName === undefined || name === otherName);
}

function annotation(entry: JsonObject, key: string): JsonValue | undefined {
  const annotations = entry.get('annotations');
  return isJsonObject(annotations) ? annotations.get(key) : undefined;
}

/** Blobs that are regular files of the right size; documents are checked by whoever reads them. */
function localContent(layout: string): LocalContent {
  return {
    has: (descriptor) => {
      const stat = lstatSync(blobPath(layout, descriptor), { throwIfNoEntry: false });
      return stat?.isFile() === true && stat.size === descriptor.size;
    },
    read: (descriptor) => readRegular(blobPath(layout, descriptor), documentLimits.configBytes) ?? Buffer.alloc(0),
  };
}

async function writeBlob(
  layout: string,
  descriptor: Descriptor,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBytes?: (count: number) => void,
): Promise<undefined> {
  const written = await writeTemporary(layout, content, digestAlgorithm(descriptor.digest), descriptor.size, onBytes);
  try {
    checkWritten(descriptor, written.size, written.digest);
    putBlob(layout, written);
  } catch (error) {
    rmSync(written.path, { force: true });
    throw error;
  }
}

async function writeStream(
  layout: string,
  content: AsyncIterable<Uint8Array>,
  onBytes?: (count: number) => void,
): Promise<BlobReceipt> {
  const written = await writeTemporary(layout, content, 'sha256', Number.POSITIVE_INFINITY, onBytes);
  putBlob(layout, written);
  const { digest, size } = written;
  return { digest, size, sent: size, tries: 1, resumedAt: 0 };
}

function putBlob(layout: string, { path, digest }: WrittenFile): void {
  const target = blobPath(layout, { digest });
  mkdirSync(dirname(target), { recursive: true });
  renameSync(path, target);
}

interface WrittenFile {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Writes and fsyncs a file beside the blobs, not among them: OCI image-layout.md wants nothing but blobs there. */
async function writeTemporary(
  layout: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  algorithm: DigestAlgorithm,
  limit: number,
  onBytes?: (count: number) => void,
): Promise<WrittenFile> {
  const path = join(layout, `.tmp-${randomBytes(8).toString('hex')}`);
  const hash = createHash(algorithm);
  let size = 0;
  const fd = openSync(path, 'wx', 0o644);
  try {
    try {
      for await (const piece of content) {
        size += piece.length;
        if (size > limit) break;
        hash.update(piece);
        for (let offset = 0; offset < piece.length; ) offset += writeSync(fd, piece, offset, piece.length - offset);
        onBytes?.(piece.length);
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw namedWriteError(error, layout);
  }
  return { path, digest: digestFromHash(hash, algorithm), size };
}

/** @throws BoxwrightError BLOB_MISMATCH */
export function checkWritten(descriptor: Descriptor, size: number, digest: string): void {
  if (size === descriptor.size && digest === descriptor.digest) return;
  const got =
    size === descriptor.size
      ? digest
      : `${size > descriptor.size ? 'more than ' : ''}${Math.min(size, descriptor.size)} bytes`;
  throw new BoxwrightError('BLOB_MISMATCH', `expected ${descriptor.digest} of ${descriptor.size} bytes, got ${got}`, {
    hint: 'the content was damaged or exchanged on its way: fetch it again',
    details: { digest: descriptor.digest, size: descriptor.size },
  });
}

function putFile(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `.tmp-${randomBytes(8).toString('hex')}`);
  const fd = openSync(temporary, 'wx', 0o644);
  try {
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset, bytes.length - offset);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw namedWriteError(error, path);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

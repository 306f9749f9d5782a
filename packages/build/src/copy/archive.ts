import { closeSync, constants, createReadStream, createWriteStream, openSync, readSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import {
  type ByteString,
  decompress,
  detectCompression,
  fromByteString,
  type ImageStore,
  type ScannedEntry,
  scanTar,
  TarReader,
} from '@boxwright/oci';
import { baseName, childPath, components, joined, parentPath, resolveLinks } from '../source/resolve.ts';
import type { SourceNode } from '../source/source-tree.ts';
import { below, type DestinationTree } from './destination.ts';
import { type CopyRules, creationOf } from './lay-out.ts';

/** An archive that ADD unpacks: an uncompressed tar, the file itself or a copy made for the time of the build step. */
export interface OpenedArchive {
  readonly tarPath: string;
  close(): void;
}

/** As much of an archive as its first entry needs, with all headers that may stand before it. */
const START = 1 << 16;

/**
 * Opens a local file of ADD as an archive if it is one: by content, not by name, and with at least one entry
 * (BuildKit `isArchivePath`). Undefined: copy the file as it is.
 *
 * @throws BoxwrightError `ADD_ARCHIVE_BROKEN`, `COMPRESSION_UNSUPPORTED` (a program is missing), `COMPRESSION_LIMIT`
 */
export async function openArchive(path: string | Buffer, store: ImageStore): Promise<OpenedArchive | undefined> {
  const kind = detectCompression(startOf(path));
  if (kind === 'none') return startsAsTar(path) ? { tarPath: path.toString(), close: () => {} } : undefined;
  const temporary = store.temporaryPath('archive');
  const close = (): void => rmSync(temporary, { force: true });
  try {
    await pipeline(
      Readable.from(decompress(createReadStream(path), kind)),
      createWriteStream(temporary, { flags: 'wx', mode: 0o600 }),
    );
    if (startsAsTar(temporary)) return { tarPath: temporary, close };
  } catch (error) {
    const isArchive = startsAsTar(temporary);
    close();
    if (isBoxwrightError(error) && error.code !== 'COMPRESSION_INVALID') throw error;
    if (isArchive) throw broken(path, error);
    // Not what its first bytes promised: then it is a file like any other.
    return undefined;
  }
  close();
  return undefined;
}

function startOf(path: string | Buffer): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(START);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function startsAsTar(path: string | Buffer): boolean {
  let hasEntry = false;
  try {
    const reader = new TarReader({
      entry: () => {
        hasEntry = true;
      },
    });
    reader.push(startOf(path));
  } catch {
    // No tar at all, or one that goes wrong after its first entry: that is said when it is unpacked.
  }
  return hasEntry;
}

/** Unpacks an archive into a directory of the destination, links resolved inside that directory. */
export function layOutArchive(tree: DestinationTree, archive: OpenedArchive, dest: string, rules: CopyRules): void {
  const root = tree.resolve(dest);
  tree.makeDirectories(root, creationOf({ ...rules, createdMode: 0o755 }));
  const descriptor = openSync(archive.tarPath, 'r');
  try {
    for (const scanned of scanTar(descriptor)) layOutEntry(tree, archive.tarPath, scanned, root, rules);
  } catch (error) {
    throw isBoxwrightError(error) && error.code === 'TAR_INVALID' ? broken(archive.tarPath, error) : error;
  } finally {
    closeSync(descriptor);
  }
}

function layOutEntry(
  tree: DestinationTree,
  tarPath: string,
  scanned: ScannedEntry,
  root: ByteString,
  rules: CopyRules,
): void {
  const { entry } = scanned;
  const inside = { lookup: (path: ByteString) => tree.lookup(below(root, path)) };
  const path = archivePath(entry.path);
  // The root's own entry is left out, as Docker does: the destination keeps what it has.
  if (path === '') return;
  const parent = below(root, resolveLinks(inside, parentPath(path)));
  tree.makeDirectories(parent, { uid: 0, gid: 0, mode: 0o755, mtimeNs: rules.epochNs ?? rules.nowNs });
  const at = childPath(parent, baseName(path));
  if (entry.type === 'hardlink') {
    const target = below(root, resolveLinks(inside, archivePath(entry.linkName ?? entry.path), false));
    const linked = tree.lookup(target);
    if (linked === undefined || linked.type === 'directory') throw badLink(entry.path, target);
    if (!tree.isMade(target)) tree.put(linked);
    tree.put({ ...linked, path: at }, target);
    return;
  }
  const { uname: _uname, gname: _gname, xattrs, ...metadata } = entry;
  const kept = xattrs === undefined ? undefined : new Map([...xattrs].filter(([name]) => isKept(name)));
  const node: SourceNode = {
    ...metadata,
    type: entry.type,
    path: at,
    ...rules.owner,
    mtimeNs: rules.epochNs !== undefined && entry.mtimeNs > rules.epochNs ? rules.epochNs : entry.mtimeNs,
    ...(kept === undefined || kept.size === 0 ? {} : { xattrs: kept }),
    ...(entry.type === 'file'
      ? { content: { kind: 'tar', tarPath, offset: scanned.dataOffset, sparse: scanned.sparse } }
      : {}),
  };
  tree.put(node);
}

/** `a/../b` is `b`; a name that climbs out of the archive is refused rather than clamped: nobody means it well. */
function archivePath(path: string): ByteString {
  const names: ByteString[] = [];
  for (const name of components(path)) {
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) throw climbs(path);
  }
  return joined(names);
}

function climbs(path: string): BoxwrightError {
  return new BoxwrightError('ARCHIVE_PATH', `archive entry ${escapeForTerminal(path)} points outside of the archive`, {
    hint: 'the archive is broken or hostile; make it again without .. in names',
  });
}

function isKept(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}

function broken(path: string | Buffer, cause: unknown): BoxwrightError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BoxwrightError(
    'ADD_ARCHIVE_BROKEN',
    `archive ${escapeForTerminal(path.toString())} cannot be unpacked: ${why}`,
    {
      hint: 'make or fetch the archive again; to copy it as a file use COPY',
      cause,
    },
  );
}

function badLink(path: ByteString, target: ByteString): BoxwrightError {
  return new BoxwrightError(
    'ARCHIVE_LINK',
    `archive entry ${escapeForTerminal(fromByteString(path))} is a hard link to ${escapeForTerminal(fromByteString(target))}, which is not there`,
    {
      hint: 'the archive is incomplete: pack the target too',
    },
  );
}

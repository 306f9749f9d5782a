import { closeSync, createReadStream, createWriteStream, openSync, readSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import {
  type ByteString,
  decompress,
  detectCompression,
  fromByteString,
  type ImageStore,
  type ScannedEntry,
  scanTar,
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

/**
 * Opens a local file of ADD as an archive if it is one: by content, not by name, and with at least one entry
 * (BuildKit `isArchivePath`). Undefined: copy the file as it is.
 */
export async function openArchive(path: string | Buffer, store: ImageStore): Promise<OpenedArchive | undefined> {
  const kind = detectCompression(firstBytes(path));
  if (kind === 'none') {
    const tarPath = path.toString();
    return isTar(tarPath) ? { tarPath, close: () => {} } : undefined;
  }
  const temporary = store.temporaryPath('archive');
  const close = (): void => rmSync(temporary, { force: true });
  try {
    await pipeline(
      Readable.from(decompress(createReadStream(path), kind)),
      createWriteStream(temporary, { flags: 'wx', mode: 0o600 }),
    );
    if (isTar(temporary)) return { tarPath: temporary, close };
  } catch (error) {
    close();
    if (error instanceof BoxwrightError && error.code === 'DECOMPRESSOR_MISSING') throw error;
    // Not what its first bytes promised: then it is a file like any other.
    return undefined;
  }
  close();
  return undefined;
}

function firstBytes(path: string | Buffer): Buffer {
  const buffer = Buffer.alloc(512);
  const descriptor = openSync(path, 'r');
  try {
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function isTar(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    return scanTar(descriptor).next().done === false;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

/** Unpacks an archive into a directory of the destination, links resolved inside that directory. */
export function layOutArchive(tree: DestinationTree, archive: OpenedArchive, dest: string, rules: CopyRules): void {
  const root = tree.resolve(dest);
  tree.makeDirectories(root, creationOf({ ...rules, mode: (mode) => mode }));
  const descriptor = openSync(archive.tarPath, 'r');
  try {
    for (const scanned of scanTar(descriptor)) layOutEntry(tree, archive.tarPath, scanned, root, rules);
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
    ...(rules.owner ?? {}),
    mtimeNs: rules.epochNs !== undefined && entry.mtimeNs > rules.epochNs ? rules.epochNs : entry.mtimeNs,
    ...(kept === undefined || kept.size === 0 ? {} : { xattrs: kept }),
    ...(entry.type === 'file'
      ? { content: { kind: 'tar', tarPath, offset: scanned.dataOffset, sparse: scanned.sparse } }
      : {}),
  };
  tree.put(node);
}

/** Names that climb out of the archive are refused rather than clamped: nobody means them well. */
function archivePath(path: string): ByteString {
  const names = components(path);
  if (names.some((name) => name === '..')) {
    throw new BoxwrightError('ARCHIVE_PATH', `archive entry ${escapeForTerminal(path)} points outside of the archive`, {
      hint: 'the archive is broken or hostile; make it again without .. in names',
    });
  }
  return joined(names);
}

function isKept(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
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

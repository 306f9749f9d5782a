import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import type { ContentRef, SourceNode, SparseSegment } from '../source/source-tree.ts';
import type { SelectedSource } from './selection.ts';

/** Remembers the digest of a file that has not changed since it was last read. */
export interface FileDigests {
  get(node: SourceNode): string | undefined;
  set(node: SourceNode, digest: string): void;
}

const BLOCK = 1 << 20;
const TEXT_BLOCK = 1 << 16;

/**
 * What COPY would take, as one digest: names, types, modes, owners, links, attributes and contents, but no times, so that
 * a touched file changes nothing (BuildKit's contenthash).
 */
export function digestSources(sources: readonly SelectedSource[], digests: FileDigests | undefined): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(BLOCK);
  // One call of the hash for many entries: the calls would cost more than the hashing.
  let text = '';
  const add = (piece: string): void => {
    text += piece;
    if (text.length < TEXT_BLOCK) return;
    hash.update(text, 'latin1');
    text = '';
  };
  for (const source of sources) {
    add(`source\0${source.name}\0${source.unpack}\0`);
    const inodes = new Map<string, number>();
    for (const { relative, node } of source.entries) {
      const content = node.type === 'file' ? digestOfFile(node, digests, buffer) : '';
      add(
        `${relative}\0${node.type}\0${node.mode}\0${node.uid}\0${node.gid}\0${node.size}\0${linkNumber(node, inodes)}\0${content}\0`,
      );
      if (node.linkName !== undefined || node.devMajor !== undefined)
        add(`${node.linkName ?? ''}\0${node.devMajor ?? ''}\0${node.devMinor ?? ''}\0`);
      if (node.xattrs !== undefined)
        for (const [name, value] of node.xattrs) add(`${name}\0${value.toString('hex')}\0`);
    }
  }
  return hash.update(text, 'latin1').digest('hex');
}

/** Names of one file get the same number, counted by first appearance. */
function linkNumber(node: SourceNode, inodes: Map<string, number>): number {
  if (node.inode === undefined) return 0;
  const known = inodes.get(node.inode);
  if (known !== undefined) return known;
  inodes.set(node.inode, inodes.size + 1);
  return inodes.size;
}

function digestOfFile(node: SourceNode, digests: FileDigests | undefined, buffer: Buffer): string {
  const known = digests?.get(node);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  readContent(node, buffer, (chunk) => hash.update(chunk));
  const digest = hash.digest('hex');
  digests?.set(node, digest);
  return digest;
}

/**
 * Feeds a file's bytes to `sink`, block by block; a chunk is only valid during the call.
 *
 * @throws BoxwrightError `FILE_CHANGED` when the file on disk is shorter than it was when it was listed
 */
export function readContent(node: SourceNode, buffer: Buffer, sink: (chunk: Buffer) => void): void {
  const { content } = node;
  if (content === undefined) return;
  if (content.kind === 'bytes') {
    sink(Buffer.from(content.data.buffer, content.data.byteOffset, content.data.byteLength));
    return;
  }
  const descriptor = openContent(content);
  try {
    if (content.kind === 'file') readRange(descriptor, 0, node.size, buffer, sink, content);
    else readTar(descriptor, content.offset, node.size, content.sparse, buffer, sink, content);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens what holds the bytes; a link that took a file's place since it was listed is not followed. */
export function openContent(content: Exclude<ContentRef, { kind: 'bytes' }>): number {
  return openSync(
    content.kind === 'file' ? content.path : content.tarPath,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
}

function readTar(
  descriptor: number,
  offset: number,
  size: number,
  sparse: readonly SparseSegment[] | undefined,
  buffer: Buffer,
  sink: (chunk: Buffer) => void,
  content: ContentRef,
): void {
  if (sparse === undefined) return readRange(descriptor, offset, size, buffer, sink, content);
  let stored = offset;
  let position = 0;
  for (const segment of sparse) {
    writeZeros(segment.offset - position, sink);
    readRange(descriptor, stored, segment.length, buffer, sink, content);
    stored += segment.length;
    position = segment.offset + segment.length;
  }
  writeZeros(size - position, sink);
}

const ZEROS = Buffer.alloc(1 << 16);

function writeZeros(count: number, sink: (chunk: Buffer) => void): void {
  for (let left = count; left > 0; left -= ZEROS.length) sink(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
}

function readRange(
  descriptor: number,
  offset: number,
  length: number,
  buffer: Buffer,
  sink: (chunk: Buffer) => void,
  content: ContentRef,
): void {
  for (let done = 0; done < length; ) {
    const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, length - done), offset + done);
    if (count === 0) throw fileChanged(content);
    sink(buffer.subarray(0, count));
    done += count;
  }
}

function fileChanged(content: ContentRef): BoxwrightError {
  const path = content.kind === 'file' ? String(content.path) : content.kind === 'tar' ? content.tarPath : '';
  return new BoxwrightError('FILE_CHANGED', `${path} became shorter while it was read`, {
    hint: 'keep the build context still during the build',
  });
}

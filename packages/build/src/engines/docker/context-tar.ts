import { randomBytes } from 'node:crypto';
import { type ByteString, TarWriter, toByteString } from '@boxwright/oci';
import { tarEntry } from '../../copy/write-layer.ts';
import { DirectoryTree } from '../../source/directory-tree.ts';
import type { SourceNode, SourceTree } from '../../source/source-tree.ts';
import type { ContextFiles } from './context-files.ts';
import { filePieces } from './file-pieces.ts';

const IGNORE = '.dockerignore';
const BLOCK = 1 << 20;

/** What the classic builder is sent. */
export interface ContextTar {
  /** Path of the Dockerfile in it. */
  readonly dockerfile: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * The build context as the tar stream that the classic builder wants. Files are read while they are sent. A Dockerfile
 * that is not in the context gets a name nobody else has there, and the builder is told to take it out again, as the
 * docker command does.
 */
export function contextTar(files: ContextFiles): ContextTar {
  const { contextDir, ignore, ignoreText, dockerfileInside, dockerfileText } = files;
  const dockerfile = dockerfileInside ?? `.dockerfile.${randomBytes(8).toString('hex')}`;
  const tree = new DirectoryTree(contextDir, ignore);
  const further: SourceNode[] = [];
  const isOutside = dockerfileInside === undefined;
  const visible = tree.lookup(toByteString(IGNORE)) !== undefined;
  // The builder takes away what this file excludes of the two files that it reads itself. It goes along with the copies
  // of the context only where it would be there anyway.
  const excluded = [...(visible ? [] : [IGNORE]), ...(isOutside ? [dockerfile] : [])];
  if (isOutside || tree.lookup(toByteString(dockerfile)) === undefined) {
    further.push(textNode(dockerfile, dockerfileText));
  }
  if (excluded.length > 0 && (isOutside || ignoreText !== undefined)) {
    further.push(textNode(IGNORE, [ignoreText ?? '', ...excluded, ''].join('\n')));
  }
  return { dockerfile, bytes: pack(tree, further) };
}

function textNode(name: string, text: string | Uint8Array): SourceNode {
  const data = typeof text === 'string' ? Buffer.from(text) : text;
  const mtimeNs = BigInt(Date.now()) * 1_000_000n;
  const content = { kind: 'bytes', data } as const;
  const path = toByteString(name);
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: data.length, mtimeNs, content };
}

async function* pack(tree: DirectoryTree, further: readonly SourceNode[]): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: Buffer[] = [];
  // The writer's blocks are valid during the call only.
  const tar = new TarWriter((chunk) => pieces.push(Buffer.from(chunk)));
  const links = new Map<string, ByteString>();
  const replaced = new Set(further.map(({ path }) => path));
  for (const node of concat(nodesOf(tree, toByteString('')), further)) {
    if (replaced.has(node.path) && !further.includes(node)) continue;
    const first = node.inode === undefined ? undefined : links.get(node.inode);
    if (first === undefined) {
      if (node.inode !== undefined) links.set(node.inode, node.path);
      tar.writeEntry(tarEntry(node));
      for (const piece of node.type === 'file' ? filePieces(node, BLOCK) : []) {
        tar.writeData(piece);
        yield* pieces.splice(0);
      }
    } else tar.writeEntry({ ...tarEntry(node), type: 'hardlink', size: 0, linkName: first });
    yield* pieces.splice(0);
  }
  tar.finish();
  yield* pieces.splice(0);
}

function* concat<T>(...parts: readonly Iterable<T>[]): Generator<T, void, undefined> {
  for (const part of parts) yield* part;
}

/** Depth first, in byte order of names. */
export function* nodesOf(tree: SourceTree, directory: ByteString): Generator<SourceNode, void, undefined> {
  for (const node of tree.list(directory)) {
    yield node;
    if (node.type === 'directory') yield* nodesOf(tree, node.path);
  }
}

import { type ByteString, fromByteString, toByteString } from '@boxwright/oci';
import type { SourceNode, SourceTree } from '../../../source/source-tree.ts';
import { numberField, readFields, textField, writeFields } from '../../solve/protobuf.ts';
import { nodesOf } from '../context-tar.ts';
import { filePieces } from '../file-pieces.ts';
import { type GrpcCall, GrpcError, type GrpcMethod, grpcStatus } from './grpc-server.ts';

/** Kinds of fsutil.types.Packet. */
const packet = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** Go's os.FileMode: the type and the special bits are not where Unix has them. */
const goMode = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  char: 2 ** 21,
  sticky: 2 ** 20,
} as const;

const PIECE = 32 * 1024;

/**
 * `moby.filesync.v1.FileSync/DiffCopy`: BuildKit asks for a directory by name, is told what there is (names, modes,
 * times), and asks for the content of those files that it does not have from an earlier build.
 */
export function fileSync(trees: ReadonlyMap<string, SourceTree>, onBytes: (count: number) => void): GrpcMethod {
  return async (call) => {
    const [name = ''] = call.metadata.get('dir-name') ?? [];
    const tree = trees.get(name);
    if (tree === undefined) throw new GrpcError(grpcStatus.notFound, `no access to ${name}`);
    const files = new Map<number, SourceNode>();
    await Promise.all([list(call, tree, files), serve(call, files, onBytes)]);
  };
}

async function serve(
  call: GrpcCall,
  files: ReadonlyMap<number, SourceNode>,
  onBytes: (count: number) => void,
): Promise<void> {
  for await (const message of call.messages) {
    const fields = readFields(message);
    switch (numberField(fields, 1)) {
      case packet.request: {
        const id = numberField(fields, 3);
        await sendFile(call, id, files.get(id), onBytes);
        break;
      }
      case packet.finish:
        await call.send(writeFields([[1, packet.finish]]));
        return;
      case packet.error:
        throw new GrpcError(grpcStatus.unknown, textField(fields, 4));
      default:
        break;
    }
  }
}

async function list(call: GrpcCall, tree: SourceTree, files: Map<number, SourceNode>): Promise<void> {
  const isWanted = wanted(call, tree);
  const links = new Map<string, ByteString>();
  let id = 0;
  for (const node of nodesOf(tree, toByteString(''))) {
    if (!isWanted(node)) continue;
    const first = node.inode === undefined ? undefined : links.get(node.inode);
    if (node.inode !== undefined && first === undefined) links.set(node.inode, node.path);
    if (node.type === 'file' && first === undefined) files.set(id, node);
    id++;
    await call.send(
      writeFields([
        [1, packet.stat],
        [2, statOf(node, first)],
      ]),
    );
  }
  await call.send(writeFields([[1, packet.stat]]));
}

/** fsutil.types.Stat */
function statOf(node: SourceNode, linkTo: ByteString | undefined): Buffer {
  const linkName = linkTo ?? node.linkName;
  return writeFields([
    [1, Buffer.from(node.path, 'latin1')],
    [2, modeOf(node)],
    [3, node.uid],
    [4, node.gid],
    [5, node.type === 'file' && linkTo === undefined ? node.size : 0],
    [6, node.mtimeNs],
    [7, linkName === undefined ? undefined : Buffer.from(linkName, 'latin1')],
    [8, node.devMajor],
    [9, node.devMinor],
    [
      10,
      [...(node.xattrs ?? [])].map(([name, value]) =>
        writeFields([
          [1, name],
          [2, value],
        ]),
      ),
    ],
  ]);
}

function modeOf({ type, mode }: SourceNode): number {
  const special =
    ((mode & 0o4000) === 0 ? 0 : goMode.setuid) +
    ((mode & 0o2000) === 0 ? 0 : goMode.setgid) +
    ((mode & 0o1000) === 0 ? 0 : goMode.sticky);
  return (mode & 0o777) + special + typeBits(type);
}

function typeBits(type: SourceNode['type']): number {
  switch (type) {
    case 'file':
      return 0;
    case 'directory':
      return goMode.directory;
    case 'symlink':
      return goMode.symlink;
    case 'fifo':
      return goMode.fifo;
    case 'block':
      return goMode.device;
    case 'char':
      return goMode.device + goMode.char;
    default:
      return type satisfies never;
  }
}

async function sendFile(
  call: GrpcCall,
  id: number,
  node: SourceNode | undefined,
  onBytes: (count: number) => void,
): Promise<void> {
  if (node === undefined) throw new GrpcError(grpcStatus.notFound, `no file ${id}`);
  for (const piece of filePieces(node, PIECE)) {
    await call.send(
      writeFields([
        [1, packet.data],
        [3, id],
        [4, piece],
      ]),
    );
    onBytes(piece.length);
  }
  await call.send(
    writeFields([
      [1, packet.data],
      [3, id],
    ]),
  );
}

/**
 * What is asked for may be less than all: only some paths and what is below them. Names that are no plain path of the
 * tree (patterns, links on the way) are answered with everything, which is what they are looked for in.
 */
function wanted(call: GrpcCall, tree: SourceTree): (node: SourceNode) => boolean {
  const paths = [...(call.metadata.get('followpaths') ?? []), ...(call.metadata.get('include-patterns') ?? [])]
    .map((path) => path.replace(/^\/+|\/+$/g, ''))
    .filter((path) => !path.endsWith('.dockerignore') || tree.lookup(toByteString(path)) !== undefined);
  const asked = call.metadata.has('followpaths') || call.metadata.has('include-patterns');
  if (!asked || !paths.every((path) => isPlain(path, tree))) return () => true;
  const known = new Set<string>(paths.flatMap(ancestors));
  const below = paths.map((path) => `${path}/`);
  return (node) => {
    const path = fromByteString(node.path);
    return known.has(path) || below.some((prefix) => path.startsWith(prefix));
  };
}

function isPlain(path: string, tree: SourceTree): boolean {
  if (path === '' || /[*?[\]\\!%]/.test(path)) return false;
  return ancestors(path).every((one) => {
    const type = tree.lookup(toByteString(one))?.type;
    return type === 'directory' || (type === 'file' && one === path);
  });
}

/** `a/b/c` → `a`, `a/b`, `a/b/c` */
function ancestors(path: string): string[] {
  const names = path.split('/');
  return names.map((_, at) => names.slice(0, at + 1).join('/'));
}

import { parseIgnoreFile } from '@boxwright/dockerfile';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type ImageStore, lookupOwner, readUserFiles } from '@boxwright/oci';
import { StatIndex } from '../context/stat-index.ts';
import type { CopyOperation, WorkdirOperation } from '../plan/operation.ts';
import { DirectoryTree } from '../source/directory-tree.ts';
import { ImageSource } from '../source/image-source.ts';
import { InlineTree } from '../source/inline-tree.ts';
import type { SourceTree } from '../source/source-tree.ts';
import { layOutArchive, type OpenedArchive, openArchive } from './archive.ts';
import { digestSources } from './content-digest.ts';
import { DestinationTree } from './destination.ts';
import { createdMode, modeChange } from './file-mode.ts';
import { type CopyRules, layOutSource } from './lay-out.ts';
import { type Budget, type SelectedSource, selectSources } from './selection.ts';
import { type WrittenLayer, writeLayer } from './write-layer.ts';

/** Where one transfer's files are, in terms a worker thread understands. */
export type SourceLocation =
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly ignore: string | undefined;
      readonly indexName: string;
    }
  | { readonly kind: 'layers'; readonly tars: readonly string[] }
  | { readonly kind: 'inline'; readonly files: readonly { readonly name: string; readonly content: string }[] };

/** A COPY or ADD ready to be carried out; plain data. */
export interface CopyTask {
  readonly operation: CopyOperation;
  /** One per transfer. */
  readonly locations: readonly SourceLocation[];
  /** Nanoseconds since 1970. */
  readonly nowNs: bigint;
  readonly epochNs: bigint | undefined;
}

/** A COPY or ADD whose sources have been found: their digest decides about the cache, then the layer can be written. */
export interface PreparedCopy {
  /** Of everything that would be copied, times left out. */
  readonly digest: string;
  /** How much there is to copy. */
  readonly files: number;
  readonly bytes: number;
  /** Lays the sources out on an image and writes the layer. `base`: the image's uncompressed layers, base first. */
  write(base: readonly string[]): Promise<WrittenLayer>;
}

/**
 * Finds and digests what a COPY or ADD takes. Synchronous and heavy: belongs in a worker thread unless a `budget` bounds it.
 *
 * @throws BoxwrightError `COPY_SOURCE_NOT_FOUND`, `FILE_CHANGED`; TooLargeError beyond the budget
 */
export function prepareCopy(store: ImageStore, task: CopyTask, budget?: Budget): PreparedCopy {
  const { operation } = task;
  const trees = new Map<string, SourceTree>();
  const indexes = new Map<string, StatIndex>();
  const sources = operation.transfers.map((transfer, at) => {
    const location = task.locations[at];
    if (location === undefined) throw new RangeError(`no location for transfer ${at}`);
    const tree = treeAt(location, operation, task.nowNs, trees);
    const selected = selectSources({ ...operation, transfers: [transfer] }, () => tree, budget);
    const index = location.kind === 'directory' ? indexAt(store, location.indexName, indexes) : undefined;
    return { selected, digest: digestSources(selected, index) };
  });
  for (const index of indexes.values()) index.save();
  const all = sources.flatMap(({ selected }) => selected);
  const entries = all.flatMap((source) => source.entries);
  return {
    digest: sources.map(({ digest }) => digest).join(','),
    files: entries.length,
    bytes: entries.reduce((sum, { node }) => sum + node.size, 0),
    write: (base) => writeCopy(store, task, all, base),
  };
}

function treeAt(
  location: SourceLocation,
  operation: CopyOperation,
  nowNs: bigint,
  trees: Map<string, SourceTree>,
): SourceTree {
  if (location.kind === 'inline') return new InlineTree(location.files, nowNs);
  const key = location.kind === 'directory' ? `d${location.path}` : `l${location.tars.join('\0')}`;
  const known = trees.get(key);
  if (known !== undefined) return known;
  const tree =
    location.kind === 'directory'
      ? new DirectoryTree(location.path, location.ignore === undefined ? undefined : parseIgnoreFile(location.ignore))
      : new ImageSource(location.tars);
  trees.set(key, tree);
  return tree;
}

function indexAt(store: ImageStore, name: string, indexes: Map<string, StatIndex>): StatIndex {
  const known = indexes.get(name) ?? StatIndex.load(store.file('stat-index', name));
  indexes.set(name, known);
  return known;
}

async function writeCopy(
  store: ImageStore,
  task: CopyTask,
  sources: readonly SelectedSource[],
  base: readonly string[],
): Promise<WrittenLayer> {
  const { operation } = task;
  const image = new ImageSource(base);
  const tree = new DestinationTree(operation.link ? { lookup: () => undefined } : image);
  const rules: CopyRules = {
    owner: operation.chown === undefined ? undefined : ownerOf(image, operation.chown),
    mode: modeChange(operation.chmod),
    createdMode: createdMode(operation.chmod),
    epochNs: task.epochNs,
    nowNs: task.nowNs,
  };
  const archives: OpenedArchive[] = [];
  try {
    for (const source of sources) {
      const root = source.entries[0]?.node;
      const archive =
        source.unpack && root?.content?.kind === 'file' ? await openArchive(root.content.path, store) : undefined;
      if (archive === undefined) layOutSource(tree, source, operation.dest, rules);
      else {
        archives.push(archive);
        layOutArchive(tree, archive, operation.dest, rules);
      }
    }
    return writeLayer(store, tree.layerEntries());
  } finally {
    for (const archive of archives) archive.close();
  }
}

/** `--chown` against the image's /etc/passwd and /etc/group. @throws BoxwrightError `USER_NOT_FOUND` */
function ownerOf(image: ImageSource, chown: string): { readonly uid: number; readonly gid: number } {
  const owner = lookupOwner(...userFiles(image), chown);
  if (owner.found) return { uid: owner.uid, gid: owner.gid };
  const file = owner.missing === 'user' ? '/etc/passwd' : '/etc/group';
  throw new BoxwrightError(
    'USER_NOT_FOUND',
    `--chown=${escapeForTerminal(chown)}: no ${owner.missing} "${escapeForTerminal(owner.name)}" in ${file} of the image`,
    {
      hint: `create it in a RUN before, or give numbers`,
      details: { [owner.missing]: owner.name },
    },
  );
}

function userFiles(image: ImageSource): [passwd: string, group: string] {
  const { passwd, group } = readUserFiles(image.tree);
  return [passwd, group];
}

const ROOT = { uid: 0, gid: 0 };

/** WORKDIR: the directory and its missing parents as a layer; an empty one when all of them exist. */
export function writeWorkdir(
  store: ImageStore,
  operation: WorkdirOperation,
  base: readonly string[],
  mtimeNs: bigint,
): WrittenLayer {
  const image = new ImageSource(base);
  const tree = new DestinationTree(image);
  // A user that does not exist (yet) is no reason to fail here, as in BuildKit: RUN will tell.
  const found = lookupOwner(...userFiles(image), operation.user);
  const owner = operation.user === '' || !found.found ? ROOT : { uid: found.uid, gid: found.gid };
  tree.makeDirectories(tree.resolve(operation.path), { ...owner, mode: 0o755, mtimeNs });
  return writeLayer(store, tree.layerEntries());
}

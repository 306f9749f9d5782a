import {
  type ByteString,
  fromByteString,
  type ImageTree,
  joinPath,
  type LayerIndex,
  parentPath,
  type TarEntry,
  type TreeNode,
  toByteString,
} from '@boxwright/oci';
import type { LayerListing } from '../layers/layer-readings.ts';
import { type ChangedAspect, contentBelow, type FileChange } from './layer-changes.ts';

/** One path as it is printed: by docs/schema/files.schema.json. Texts are as the image has them: escape them where they are shown. */
export interface FileRow {
  /** Absolute; what is not UTF-8 is U+FFFD. */
  readonly path: string;
  /** The exact bytes in base64, where `path` does not have them. */
  readonly pathBytes?: string;
  readonly type: TarEntry['type'];
  /** Four octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file. */
  readonly size: number;
  /** RFC 3339 with nanoseconds where there are any; absent for times outside of the years 0 to 9999. */
  readonly modified?: string;
  /** Target of a symbolic link. */
  readonly target?: string;
  /** The name that came first of a file with several. */
  readonly hardLinkOf?: string;
  /** Major and minor number. */
  readonly device?: readonly [number, number];
  /** Known when the layer has been read as a whole. */
  readonly sha256?: string;
  /** The layer that it is in, base 1; absent for a root that no layer mentions. */
  readonly layer?: number;
  /** All layers that hold or remove it, base 1. */
  readonly layers?: readonly number[];
  /** Of a directory: what is below it. Of something removed: what went. */
  readonly content?: { readonly files: number; readonly bytes: number };
  /** Only in the list of one layer. */
  readonly change?: FileChange['kind'];
  /** Only of `changed`; empty when the layer has the same once more. */
  readonly changed?: readonly ChangedAspect[];
}

/** What {@link treeRows} lists. */
export interface TreeRowOptions {
  /** Where to begin; something else than a directory is its only row. */
  readonly from: TreeNode;
  /** All below it, not only what is directly in it. */
  readonly recursive: boolean;
  /** Only these, by absolute decoded path. Looked for at any depth. */
  readonly matches?: ((path: string) => boolean) | undefined;
}

/** What is seen in an image, in the order of paths. */
export function* treeRows(
  tree: ImageTree,
  listings: readonly LayerListing[],
  { from, recursive, matches }: TreeRowOptions,
): Generator<FileRow, void, undefined> {
  const isDeep = recursive || matches !== undefined;
  const nodes = from.entry.type !== 'directory' ? [from] : isDeep ? tree.walk(from.path) : tree.list(from.path);
  for (const node of nodes) {
    if (matches !== undefined && !matches(`/${fromByteString(node.path)}`)) continue;
    const sha256 = listings[node.layer]?.digests.get(node.dataOffset);
    const isSummed = node.entry.type === 'directory' && !isDeep;
    yield {
      ...metadata(node.path, node.entry, node.hardlinkOf),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(node.layer < 0 ? {} : { layer: node.layer + 1 }),
      layers: layersWith(
        node.path,
        listings.map(({ index }) => index),
      ),
      ...(isSummed ? { content: contentBelow(node, tree) } : {}),
    };
  }
}

/** What one layer (base 1) changes, from {@link layerChanges}. */
export function* changeRows(
  changes: Iterable<FileChange>,
  listing: LayerListing,
  options: {
    readonly layer: number;
    readonly from: ByteString;
    readonly matches?: ((path: string) => boolean) | undefined;
  },
): Generator<FileRow, void, undefined> {
  const { layer, from, matches } = options;
  for (const change of changes) {
    const isBelow = from === '' || change.path === from || change.path.startsWith(`${from}/`);
    if (!isBelow || (matches !== undefined && !matches(`/${fromByteString(change.path)}`))) continue;
    if (change.kind === 'removed') {
      const { path, entry, files, bytes } = change;
      yield { ...metadata(path, entry, undefined), layer, content: { files, bytes }, change: 'removed' };
      continue;
    }
    const { path, entry, node, kind, aspects } = change;
    const sha256 = listing.digests.get(node.dataOffset);
    yield {
      ...metadata(path, entry, node.hardlinkOf),
      ...(sha256 === undefined ? {} : { sha256 }),
      layer,
      change: kind,
      ...(kind === 'changed' ? { changed: aspects } : {}),
    };
  }
}

function metadata(path: ByteString, entry: TarEntry, hardLinkOf: ByteString | undefined): FileRow {
  const text = fromByteString(path);
  const modified = timeText(entry.mtimeNs);
  return {
    path: `/${text}`,
    ...(toByteString(text) === path ? {} : { pathBytes: Buffer.from(`/${path}`, 'latin1').toString('base64') }),
    type: entry.type,
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    ...(modified === undefined ? {} : { modified }),
    ...(entry.type === 'symlink' ? { target: fromByteString(entry.linkName ?? toByteString('')) } : {}),
    ...(hardLinkOf === undefined ? {} : { hardLinkOf: `/${fromByteString(hardLinkOf)}` }),
    ...(entry.devMajor === undefined ? {} : { device: [entry.devMajor, entry.devMinor ?? 0] as const }),
  };
}

/** Layers, base 1, that have an entry or a whiteout for a path. */
function layersWith(path: ByteString, indexes: readonly LayerIndex[]): number[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const parent = parentPath(path);
  return [...indexes.entries()].flatMap(([layer, index]) => {
    const isHere = index.get(path)?.entry !== undefined;
    const isRemoved = path !== '' && index.get(parent)?.whiteouts?.has(name) === true;
    return isHere || isRemoved ? [layer + 1] : [];
  });
}

const nanoseconds = 1_000_000_000n;

function timeText(mtimeNs: bigint): string | undefined {
  const fraction = ((mtimeNs % nanoseconds) + nanoseconds) % nanoseconds;
  const date = new Date(Number((mtimeNs - fraction) / 1_000_000n));
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  if (!/^\d{4}-/.test(text)) return undefined;
  const digits = fraction === 0n ? '' : `.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return text.replace('.000Z', `${digits}Z`);
}

/** The parent of a path and its last component, for callers that rename what they export. */
export function renamed(path: ByteString, from: ByteString, to: ByteString): ByteString {
  return path === from ? to : joinPath(to, from === '' ? path : path.slice(from.length + 1));
}

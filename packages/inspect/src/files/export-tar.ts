import { type ByteString, type ImageTree, type TarEntry, TarWriter, type TreeNode } from '@boxwright/oci';
import { renamed } from './file-rows.ts';
import type { ImageFiles } from './image-files.ts';

/** What was left out of an export. */
export interface ExportSummary {
  /** Entries written. */
  readonly entries: number;
  /** Bytes of files. */
  readonly bytes: number;
}

/**
 * Writes a path of an image, with all below it, as a tar that holds nothing but that: for unpacking with the same care
 * as a layer. Directories come first, then the files layer by layer, as they can be read in one go. A hard link whose
 * first name lies elsewhere becomes a file.
 *
 * @param top what to export, and `name` what to call it in the tar
 * @param write takes each piece before the call returns
 * @throws BoxwrightError as reading the contents
 */
export async function exportTar(
  files: ImageFiles,
  tree: ImageTree,
  { top, name }: { readonly top: TreeNode; readonly name: ByteString },
  write: (bytes: Uint8Array) => void,
): Promise<ExportSummary> {
  const tar = new TarWriter(write);
  let entries = 0;
  let bytes = 0;
  const put = (entry: TarEntry): void => {
    entries++;
    tar.writeEntry(entry);
    if (entry.type !== 'file' || entry.size === 0) tar.endEntry();
  };
  /** Names of each inode, in the order of paths. */
  const names = new Map<string, TreeNode[]>();
  const all = top.entry.type === 'directory' ? [top, ...tree.walk(top.path)] : [top];
  for (const node of all) {
    if (node.entry.type !== 'file') {
      put(entryOf(node, renamed(node.path, top.path, name)));
      continue;
    }
    const inode = inodeOf(node);
    const known = names.get(inode);
    if (known === undefined) names.set(inode, [node]);
    else known.push(node);
  }
  const nameOf = (node: TreeNode): ByteString => renamed(node.path, top.path, name);
  const linkAll = ([first, ...others]: readonly TreeNode[]): void => {
    if (first === undefined) return;
    for (const other of others) {
      put({ ...entryOf(other, nameOf(other)), type: 'hardlink', size: 0, linkName: nameOf(first) });
    }
  };
  const firsts = [...names.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  for (const node of firsts) {
    if (node.entry.size > 0) continue;
    put(entryOf(node, nameOf(node)));
    linkAll(names.get(inodeOf(node)) ?? []);
  }
  let left = 0;
  for await (const { file, piece } of files.readMany(firsts)) {
    if (left === 0) {
      put(entryOf(file, nameOf(file)));
      left = file.entry.size;
    }
    tar.writeData(piece);
    left -= piece.length;
    bytes += piece.length;
    if (left > 0) continue;
    tar.endEntry();
    linkAll(names.get(inodeOf(file)) ?? []);
  }
  tar.finish();
  return { entries, bytes };
}

function inodeOf({ layer, dataOffset, path }: TreeNode): string {
  return dataOffset < 0 ? path : `${layer} ${dataOffset}`;
}

/** The path of the entry itself may be another one: a parent that was a link, a hard link's first name. */
function entryOf({ entry }: TreeNode, path: ByteString): TarEntry {
  return { ...entry, path };
}

import { type ByteString, TarWriter } from '@boxwright/oci';
import { ImageSource } from '../source/image-source.ts';
import type { SourceNode } from '../source/source-tree.ts';
import { readContent } from './content-digest.ts';
import { tarEntry } from './write-layer.ts';

/** Writes the merged file system of layers (base first) as one tar, hard links kept. */
export function packTree(layers: readonly string[], sink: (chunk: Uint8Array) => void): void {
  const tree = new ImageSource(layers);
  const tar = new TarWriter(sink);
  const buffer = Buffer.allocUnsafe(1 << 20);
  const links = new Map<string, ByteString>();
  const pack = (node: SourceNode): void => {
    const first = node.inode === undefined ? undefined : links.get(node.inode);
    if (first !== undefined) {
      tar.writeEntry({ ...tarEntry(node), type: 'hardlink', size: 0, linkName: first });
      return;
    }
    if (node.inode !== undefined) links.set(node.inode, node.path);
    tar.writeEntry(tarEntry(node));
    if (node.type === 'file') readContent(node, buffer, (chunk) => tar.writeData(chunk));
    if (node.type === 'directory') for (const child of tree.list(node.path)) pack(child);
  };
  for (const node of tree.list('' as ByteString)) pack(node); // The root: no bytes at all.
  tar.finish();
}

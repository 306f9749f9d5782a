import { closeSync, fstatSync } from 'node:fs';
import { type Digest, type ImageStore, type TarEntry, TarWriter, wholeSeconds } from '@boxwright/oci';
import { fileIdentity } from '../source/directory-tree.ts';
import type { SourceNode } from '../source/source-tree.ts';
import { openContent, readContent } from './content-digest.ts';
import type { LayerEntry } from './destination.ts';

/** A layer in the store: an uncompressed tar, so its digest is its diffID. */
export interface WrittenLayer {
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly size: number;
  /** What was copied is no longer what was digested: the layer must not be found again under that digest. */
  readonly isChanged?: true;
}

const BLOCK = 1 << 20;

/** The only attribute that Docker and containerd write into layers. */
export const CAPABILITY = 'security.capability';

/** Writes a tar into the store as a layer; hashing and writing happen in the one pass. `fill` writes its entries. */
export function writeTarLayer(store: ImageStore, fill: (tar: TarWriter) => void): WrittenLayer {
  const blob = store.createBlob();
  try {
    const tar = new TarWriter((chunk) => blob.write(chunk));
    fill(tar);
    tar.finish();
    const { digest, size } = blob.commit();
    return { diffId: digest, size };
  } catch (error) {
    blob.abort();
    throw error;
  }
}

/** Writes entries as a layer into the store. */
export function writeLayer(store: ImageStore, entries: readonly LayerEntry[]): WrittenLayer {
  let isChanged = false;
  const written = writeTarLayer(store, (tar) => {
    let buffer: Buffer | undefined;
    for (const { node, linkTo } of entries) {
      if (linkTo !== undefined) {
        tar.writeEntry({ ...tarEntry(node), type: 'hardlink', size: 0, linkName: linkTo });
        continue;
      }
      tar.writeEntry(tarEntry(node));
      if (node.type !== 'file' || node.size === 0) continue;
      if (node.content?.kind === 'file') {
        const descriptor = openContent(node.content);
        try {
          tar.writeFileContent(descriptor, node.size);
          isChanged ||= fileIdentity(fstatSync(descriptor, { bigint: true })) !== node.content.identity;
        } finally {
          closeSync(descriptor);
        }
      } else {
        buffer ??= Buffer.allocUnsafe(BLOCK);
        readContent(node, buffer, (chunk) => tar.writeData(chunk));
      }
    }
  });
  return isChanged ? { ...written, isChanged } : written;
}

/** A node as the entry of a tar. */
export function tarEntry(node: SourceNode): TarEntry {
  const capability = node.xattrs?.get(CAPABILITY);
  return {
    path: node.path,
    type: node.type,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    size: node.type === 'file' ? node.size : 0,
    mtimeNs: wholeSeconds(node.mtimeNs),
    ...(node.linkName === undefined ? {} : { linkName: node.linkName }),
    ...(node.devMajor === undefined ? {} : { devMajor: node.devMajor }),
    ...(node.devMinor === undefined ? {} : { devMinor: node.devMinor }),
    ...(capability === undefined ? {} : { xattrs: new Map([[CAPABILITY, capability]]) }),
  };
}

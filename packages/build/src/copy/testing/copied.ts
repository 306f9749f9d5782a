import { closeSync, openSync } from 'node:fs';
import { parseDockerfile } from '@boxwright/dockerfile';
import {
  type Digest,
  fromByteString,
  type ImageStore,
  readScannedContent,
  scanTar,
  type TarEntry,
  TarWriter,
  toByteString,
} from '@boxwright/oci';
import { copyOperation } from '../../plan/copy-operation.ts';
import type { CopyOperation, FileSource } from '../../plan/operation.ts';
import { type CopyTask, type PreparedCopy, prepareCopy } from '../copy-task.ts';
import type { Budget } from '../selection.ts';

/** An entry of a layer for a test: everything but path, type and content has a default. */
export interface LayerFile {
  readonly path: string;
  readonly type?: TarEntry['type'];
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly link?: string;
  readonly content?: string;
}

/** When everything is copied in these tests, and what directories made on the way get. */
export const NOW_NS: bigint = 1_700_000_000n * 1_000_000_000n;

/** A COPY or ADD line as its operation, `--from` standing for the first of {@link Copying.stages}. */
export function operationOf(line: string): CopyOperation {
  const [stage] = parseDockerfile(`FROM scratch\n${line}\n`, { file: 'Dockerfile' }).stages;
  const [instruction] = stage?.instructions ?? [];
  if (instruction?.kind !== 'copy' && instruction?.kind !== 'add') throw new Error(`no COPY or ADD: ${line}`);
  return copyOperation(instruction, '/', (): FileSource => ({ kind: 'stage', stage: 0 })).operation;
}

/** What a copy works on. */
export interface Copying {
  readonly store: ImageStore;
  /** The build context. */
  readonly context?: string;
  readonly ignore?: string;
  /** Layers that `--from` copies from. */
  readonly from?: readonly (readonly LayerFile[])[];
  /** Layers of the image below. */
  readonly base?: readonly (readonly LayerFile[])[];
  readonly epochNs?: bigint;
  readonly budget?: Budget;
}

/** Finds and digests what a line copies. */
export function prepare(line: string, copying: Copying): PreparedCopy {
  const operation = operationOf(line);
  const { store, context = '/nonexistent', ignore, from = [], epochNs, budget } = copying;
  const tars = from.map((files) => store.blobPath(putLayer(store, files)));
  const locations = operation.transfers.map((transfer): CopyTask['locations'][number] => {
    if (transfer.from.kind === 'stage') return { kind: 'layers', tars };
    if (transfer.from.kind === 'inline') return { kind: 'inline', files: transfer.from.files };
    return { kind: 'directory', path: context, ignore, indexName: `${context}\0${transfer.path}` };
  });
  return prepareCopy(store, { operation, locations, nowNs: NOW_NS, epochNs }, budget);
}

/** The layer that a line makes, entry by entry in the order of the tar: see {@link listLayer}. */
export async function copied(line: string, copying: Copying): Promise<readonly string[]> {
  const base = (copying.base ?? []).map((files) => copying.store.blobPath(putLayer(copying.store, files)));
  const { diffId } = await prepare(line, copying).write(base);
  return listLayer(copying.store, diffId);
}

/** Entries of a layer as `path mode uid:gid content`, links as `path -> target`, hard links as `path == target`. */
export function listLayer(store: ImageStore, diffId: Digest): readonly string[] {
  const descriptor = openSync(store.blobPath(diffId), 'r');
  try {
    const lines: string[] = [];
    for (const scanned of scanTar(descriptor)) {
      const { entry } = scanned;
      const path = fromByteString(entry.path);
      const link = fromByteString(entry.linkName ?? toByteString(''));
      const owner = `${entry.mode.toString(8)} ${entry.uid}:${entry.gid}`;
      if (entry.type === 'symlink') lines.push(`${path} -> ${link}`);
      else if (entry.type === 'hardlink') lines.push(`${path} == ${link}`);
      else if (entry.type === 'directory') lines.push(`${path.replace(/\/$/, '')}/ ${owner}`);
      else if (entry.type === 'file') {
        let content = '';
        readScannedContent(descriptor, scanned, (chunk) => {
          content += Buffer.from(chunk).toString('utf8');
        });
        lines.push(`${path} ${owner} ${content}`);
      } else lines.push(`${path} ${entry.type} ${owner}`);
    }
    return lines;
  } finally {
    closeSync(descriptor);
  }
}

/** Puts a layer into the store, as an uncompressed tar. */
export function putLayer(store: ImageStore, files: readonly LayerFile[]): Digest {
  const blob = store.createBlob();
  const tar = new TarWriter((chunk) => blob.write(chunk));
  for (const { path, type = 'file', mode, uid = 0, gid = 0, link, content = '' } of files) {
    const data = Buffer.from(content);
    tar.writeEntry({
      path: toByteString(path),
      type,
      mode: mode ?? (type === 'directory' ? 0o755 : 0o644),
      uid,
      gid,
      size: type === 'file' ? data.length : 0,
      mtimeNs: 1_600_000_000_000_000_000n,
      ...(link === undefined ? {} : { linkName: toByteString(link) }),
    });
    if (type === 'file' && data.length > 0) tar.writeData(data);
  }
  tar.finish();
  return blob.commit().digest;
}

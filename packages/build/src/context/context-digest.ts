import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { parseIgnoreFile } from '@boxwright/dockerfile';
import { type ByteString, type ImageStore, toByteString } from '@boxwright/oci';
import { digestSources } from '../copy/content-digest.ts';
import type { SelectedEntry } from '../copy/selection.ts';
import { loadIgnoreText } from '../engine/dockerfile-source.ts';
import { checkContextDirectory, DirectoryTree } from '../source/directory-tree.ts';
import { StatIndex } from './stat-index.ts';

/** Which context is digested. */
export interface ContextDigestRequest {
  readonly contextDir: string;
  /** Its ignore file (`<Dockerfile>.dockerignore`) counts before the context's own; absent where there is no such file. */
  readonly dockerfilePath?: string | undefined;
  /** Where digests of files are kept, so that unchanged ones are not read again. */
  readonly store: ImageStore;
  readonly signal?: AbortSignal | undefined;
}

const ROOT: ByteString = toByteString('');

/** So much is read before anything else has its turn. */
const maxBatchFiles = 200;
const maxBatchBytes = 16 << 20;

/**
 * A digest of all that a build may read of its context: names, types, modes, links and contents of what the ignore file
 * lets in; no times. Two contexts with the same digest give the same image from the same Dockerfile.
 *
 * @throws BoxwrightError CONTEXT_NOT_FOUND, IGNORE_PATTERN, FILE_CHANGED; the signal's reason
 */
export async function contextDigest(request: ContextDigestRequest): Promise<string> {
  const { store, signal } = request;
  checkContextDirectory(request.contextDir);
  const root = realpathSync(request.contextDir);
  const ignore = loadIgnoreText(root, request.dockerfilePath);
  const tree = new DirectoryTree(root, ignore === undefined ? undefined : parseIgnoreFile(ignore));
  const index = StatIndex.load(store.file('stat-index', `${root}\0whole`));
  const hash = createHash('sha256');
  let batch: SelectedEntry[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    hash.update(`${digestSources([{ name: batch[0]?.relative ?? ROOT, unpack: false, entries: batch }], index)}\n`);
    batch = [];
    bytes = 0;
    await breathe();
  };
  const open: ByteString[] = [ROOT];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const node of tree.list(directory)) {
      if (node.type === 'directory') open.push(node.path);
      batch.push({ relative: node.path, node });
      bytes += node.size;
      if (batch.length >= maxBatchFiles || bytes >= maxBatchBytes) await flush();
    }
  }
  await flush();
  index.save();
  return hash.digest('hex');
}

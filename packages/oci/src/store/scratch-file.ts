import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSmallFile, removeFile, replaceFile } from './files.ts';
import type { StoreSession } from './session.ts';

/** A named file that may vanish at any time, for example an index that can be made again. */
export interface ScratchFile {
  readonly path: string;
  /** Its bytes, or undefined when there is none or it has more than `limit` bytes (default 256 MiB). */
  read(limit?: number): Buffer | undefined;
  /** Replaces it in one step. Not fsynced: after a power cut it may be empty, so its format must show when it is whole. */
  replace(content: string | Uint8Array): void;
  remove(): void;
}

const defaultLimit = 256 * 1024 * 1024;

/** Folders of the store that scratch files live in. */
export type ScratchFolder = 'stat-index';

/** The scratch file of a name in a folder; the name may be anything, the file is named by its hash. */
export function scratchFile(session: StoreSession, folder: ScratchFolder, name: string): ScratchFile {
  const path = join(session.layout.root, folder, createHash('sha256').update(name).digest('hex'));
  return {
    path,
    read: (limit = defaultLimit) => readSmallFile(path, limit),
    replace: (content) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      replaceFile(path, content, { temporary: session.temporaryPath('scratch'), durable: false });
    },
    remove: () => void removeFile(path),
  };
}

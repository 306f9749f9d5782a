import { join } from 'node:path';
import { runOk } from '../support/run.ts';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One entry of a layer tar, as Python's tarfile reads it (see summarize.py). */
export interface LayerEntry {
  /** Without leading or trailing slash; the root is the empty string. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds, a point, nine digits. */
  readonly mtime: string;
  /** Name → value in hexadecimal. */
  readonly xattrs: Readonly<Record<string, string>>;
  readonly size?: number;
  readonly sha256?: string;
  readonly link?: string;
  /** `major:minor` */
  readonly dev?: string;
}

/** An image as read by tools that share no code with ours. */
export interface ImageSummary {
  readonly imageId: string;
  readonly repoTags: readonly string[];
  readonly config: { readonly [key: string]: Json };
  readonly layers: readonly (readonly LayerEntry[])[];
}

/** Reads a docker-archive (`docker save`, `boxwright save`) with Python. */
export async function summarizeArchive(archive: string): Promise<ImageSummary> {
  const { stdout } = await runOk('python3', [join(import.meta.dirname, 'summarize.py'), archive]);
  // The script of this directory wrote it: its shape is ours.
  return JSON.parse(stdout.toString()) as ImageSummary;
}

import type { ByteString, TarEntryType } from '@boxwright/oci';

/** Where a file's bytes are. */
export type ContentRef =
  /** A file on disk; `identity` changes whenever its content may have changed (size, times, inode). */
  | { readonly kind: 'file'; readonly path: string | Buffer; readonly identity: string }
  /** A stretch of an uncompressed layer, already expanded when the entry is sparse. */
  | {
      readonly kind: 'tar';
      readonly tarPath: string;
      readonly offset: number;
      readonly sparse: readonly SparseSegment[] | undefined;
    }
  | { readonly kind: 'bytes'; readonly data: Uint8Array };

/** Data of a sparse file: `length` stored bytes that belong at `offset` of the expanded file. */
export interface SparseSegment {
  readonly offset: number;
  readonly length: number;
}

/** A file, directory or special file that COPY may take. */
export interface SourceNode {
  /** Path inside its tree, no leading slash; `''` is the root. */
  readonly path: ByteString;
  readonly type: Exclude<TarEntryType, 'hardlink'>;
  /** `mode & 0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for everything but files. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly linkName?: ByteString;
  readonly devMajor?: number;
  readonly devMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
  readonly content?: ContentRef;
  /** Equal for the names of one file with several hard links. */
  readonly inode?: string;
}

/** A tree that COPY reads from: the build context, a stage, an image, inline files. */
export interface SourceTree {
  /** The node at exactly this path; links are not followed. */
  lookup(path: ByteString): SourceNode | undefined;
  /** Entries of a directory in byte order of their names. */
  list(directory: ByteString): readonly SourceNode[];
}

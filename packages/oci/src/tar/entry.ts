import type { ByteString } from '../bytes.ts';

/** What a tar entry stands for in an image layer. */
export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'directory' | 'char' | 'block' | 'fifo';

/** One entry of a layer: the header after PAX records and GNU long names have been applied. */
export interface TarEntry {
  /** As stored, less a leading `./` and `/` and a trailing `/`; `''` is the root itself. Not yet safe to join to a root. */
  readonly path: ByteString;
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky: `mode & 0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname?: string;
  readonly gname?: string;
  /** Bytes of content that follow (a sparse file: its real, expanded size); 0 for everything but files. */
  readonly size: number;
  /** Modification time, nanoseconds since 1970, may be negative. */
  readonly mtimeNs: bigint;
  /** Target of a symlink (raw text) or of a hard link (a path as in `path`). */
  readonly linkName?: ByteString;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** Extended attributes (`SCHILY.xattr.*`): name to binary value. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

import type { ByteString } from '../bytes.ts';
import type { TarEntry, TarEntryType } from '../tar/entry.ts';

/** Caps on what one layer may make; a hostile layer runs into them, an honest one never does (threats: bombs). */
export interface UnpackLimits {
  /** Files, directories and so on, directories that are only implied included. */
  readonly entries: number;
  /** Sum of all file sizes, sparse files at their expanded size. */
  readonly bytes: number;
  /** Components of a path. Every level holds one file descriptor while something below it is written. */
  readonly depth: number;
}

/** The limits used where the caller sets none: 5 million entries, 1 TiB, 1024 levels. */
export const defaultUnpackLimits: UnpackLimits = { entries: 5_000_000, bytes: 1024 ** 4, depth: 1024 };

/** Metadata for a directory that a layer implies by its content without having an entry for it. */
export type DirectoryAttributes = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtimeNs' | 'xattrs'>;

/** What a lower layer says of a path; anything but a directory there lends no attributes. */
export type LowerAttributes = DirectoryAttributes & { readonly type: TarEntryType };

/** How a layer is unpacked. */
export interface UnpackOptions {
  /**
   * `overlay`: the target is new and empty and becomes a lower directory of an overlay mount: whiteouts become
   * character devices 0:0, opaque directories get the opaque attribute. `apply`: the target holds the lower layers,
   * whiteouts remove what those put there. Both give what overlayfs would show —
   * but for a path that one layer has twice, as a file and later as a directory: applied, the file has already removed
   * the directory of a lower layer.
   */
  readonly whiteouts: 'overlay' | 'apply';
  /** Name space of the opaque attribute: `user` is for mounts with `userxattr`. Default `trusted`. */
  readonly overlayXattr?: 'trusted' | 'user' | undefined;
  /** `ignore`, for those who are not root: all belongs to the caller, and setuid and setgid are dropped. Default `keep`. */
  readonly owners?: 'keep' | 'ignore' | undefined;
  /**
   * Device nodes: made, left out and counted, or an error. Default `skip`. Where a character device 0:0 would be taken
   * for a whiteout (`overlay`) it is refused always.
   */
  readonly devices?: 'create' | 'skip' | 'refuse' | undefined;
  readonly limits?: Partial<UnpackLimits> | undefined;
  /**
   * With `overlay`: what a lower layer has for a directory that this one only implies (also asked for `''`, the root).
   * Without it, or where it gives undefined, such a directory is root's, 0755, time 0 — and hides, in the mount, what
   * lower layers say of it. See {@link UnpackResult.impliedDirectories}.
   */
  readonly impliedDirectory?: ((path: ByteString) => LowerAttributes | undefined) | undefined;
}

/** What unpacking did. */
export interface UnpackResult {
  /** Entries of the layer that took effect, whiteouts included. */
  readonly entries: number;
  /** Sum of the sizes of the files written. */
  readonly bytes: number;
  /** Device nodes left out. */
  readonly skippedDevices: number;
  /** Extended attributes that the file system or missing privilege did not let us set, or that are not allowed. */
  readonly skippedXattrs: number;
  /**
   * Directories without an entry in the layer: their metadata depends on the layers below, so a diff directory with
   * some of them is not the same on every base. The root counts when the layer has no entry for it.
   */
  readonly impliedDirectories: readonly ByteString[];
  /** The root is opaque. With `overlay` the caller has to leave out all lower layers: overlayfs ignores it there. */
  readonly opaqueRoot: boolean;
  /** True when times could be set to the microsecond only, for want of the system calls. */
  readonly approximateTimes: boolean;
}

/** Caps that keep a hostile archive from using up memory, time or inodes (threats: header bombs, sparse bombs). */
export interface TarLimits {
  /** Real entries in one archive. */
  readonly maxEntries: number;
  /** Bytes of one PAX header, GNU long name or sparse map. */
  readonly maxMetadataBytes: number;
  /** Bytes of one name or link target: PATH_MAX of Linux. */
  readonly maxPathBytes: number;
  /** Sum of the expanded sizes of all sparse files, whose holes cost the archive nothing. */
  readonly maxSparseBytes: number;
}

/** How the tar readers may be adjusted. */
export interface TarReadOptions {
  /** Overrides of {@link defaultTarLimits}. */
  readonly limits?: Partial<TarLimits>;
  /**
   * What a PAX global header (`g`) does. `ignore`, the default, is what every container engine does (Go's archive/tar
   * hands it to the caller, who skips it), so that an image means the same everywhere; `apply` is POSIX and GNU tar:
   * its uid, gid, uname, gname and mtime hold for all following entries that do not say otherwise.
   */
  readonly globalPax?: 'ignore' | 'apply';
}

/** The limits used where a caller sets none. */
export const defaultTarLimits: TarLimits = {
  maxEntries: 5_000_000,
  maxMetadataBytes: 1024 * 1024,
  maxPathBytes: 4096,
  maxSparseBytes: 64 * 1024 ** 3,
};

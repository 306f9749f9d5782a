import type { ByteString } from '../bytes.ts';
import type { OverlayNamespace } from './xattr-policy.ts';

/** How a directory is packed. */
export interface PackOptions {
  /**
   * Name space of overlayfs' attributes when the directory is the upper directory of an overlay mount: character
   * devices 0:0 become whiteouts, opaque directories get an opaque whiteout. Default `false`: a plain directory.
   */
  readonly overlay?: OverlayNamespace | false | undefined;
  /** Later times become this one: nanoseconds since 1970 (SOURCE_DATE_EPOCH). */
  readonly clampMtimeNs?: bigint | undefined;
  /** True for what is left out, with all that is below it. `path` is relative, without a leading slash. */
  readonly skip?: ((path: ByteString) => boolean) | undefined;
  /** Which extended attributes go into the layer. Default: {@link isLayerXattr}. */
  readonly keepXattr?: ((name: string) => boolean) | undefined;
  /** Whether the directory itself gets an entry (`./`). Default false: engines write none. */
  readonly includeRoot?: boolean | undefined;
}

/** What packing wrote. */
export interface PackResult {
  /** Entries, whiteouts included. */
  readonly entries: number;
  /** Sum of the sizes of the files; a hard link counts nothing. */
  readonly bytes: number;
  /** Whiteouts and opaque whiteouts among the entries. */
  readonly whiteouts: number;
  /** Sockets, which tar cannot hold, left out. */
  readonly skippedSockets: number;
  /** False when extended attributes could not be read, for want of the system calls: file capabilities are lost. */
  readonly hasXattrs: boolean;
}

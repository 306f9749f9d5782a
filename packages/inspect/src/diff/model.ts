import type { Digest } from '@boxwright/oci';
import type { PackageManager } from './package-file.ts';

/**
 * How two images differ. Plain data: its JSON is published as docs/schema/diff.schema.json. Texts are as the images have
 * them, but for secrets: whoever shows one escapes it.
 */
export interface ImageDiff {
  /** Grows when a member changes its meaning or goes; new members do not count. */
  readonly schemaVersion: 1;
  readonly before: DiffedImage;
  readonly after: DiffedImage;
  /**
   * `manifest`: the same bytes throughout. `image`: the same config, so the same settings and files; only how layers are
   * packed or described differs. `none`: the images differ.
   */
  readonly same: 'manifest' | 'image' | 'none';
  /** True when the images differ, or the platforms that two indexes offer. */
  readonly different: boolean;
  /** Only when both names stand for indexes: the platforms that are not the same manifest. */
  readonly platforms: readonly PlatformDifference[];
  readonly settings: readonly SettingDifference[];
  readonly history: HistoryDifferences;
  readonly layers: LayerDifferences;
  /** Absent when layers were not read. */
  readonly packages?: PackageDifferences;
  /** Absent when layers were not read. */
  readonly files?: FileDifferences;
}

/** One of the two. */
export interface DiffedImage {
  /** As it was asked for. */
  readonly name: string;
  /** Of the manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Digest of the config: the image ID. */
  readonly id: Digest;
  readonly platform: string;
  /** RFC 3339. */
  readonly created?: string;
  readonly layers: number;
  /** Uncompressed bytes as Docker counts them; absent when layers have not been read. */
  readonly size?: number;
  /** Bytes of the layer blobs. */
  readonly transferSize: number;
}

/** A platform of an index. */
export interface PlatformDifference {
  readonly platform: string;
  /** Digest of the manifest; absent where the index does not have the platform. */
  readonly before?: Digest;
  readonly after?: Digest;
}

/** A member of the config. */
export interface SettingDifference {
  /** `Env`, `Labels`, `Cmd`, `architecture`, … */
  readonly field: string;
  /** Of the variable, label, port or volume. */
  readonly name?: string;
  /** The value; lists and objects as JSON. Absent where the image has none. */
  readonly before?: string;
  readonly after?: string;
}

/** A row of one history. */
export interface DiffedRow {
  /** Position, oldest first, from 0. */
  readonly entry: number;
  /** The instruction in one line. */
  readonly text: string;
  readonly diffId?: Digest;
  readonly size?: number;
}

/** What happened to a row. `rebuilt`: the same instruction made another layer. */
export interface RowDifference {
  readonly change: 'added' | 'removed' | 'rebuilt';
  readonly before?: DiffedRow;
  readonly after?: DiffedRow;
}

/** How the histories differ. */
export interface HistoryDifferences {
  /** Rows with the same instruction and the same layer; their times may differ. */
  readonly equal: number;
  /** Of those: with another time. */
  readonly otherTimes: number;
  /** Oldest first. */
  readonly rows: readonly RowDifference[];
}

/** A layer that only one image has. */
export interface DiffedLayer {
  /** Position, base first, from 0. */
  readonly index: number;
  readonly diffId: Digest;
  readonly size?: number;
}

/** Which layers both have. */
export interface LayerDifferences {
  /** How many the images have in common from the base on. */
  readonly sharedBase: number;
  /** How many of the first image's layers the second has anywhere. */
  readonly shared: number;
  readonly onlyBefore: readonly DiffedLayer[];
  readonly onlyAfter: readonly DiffedLayer[];
}

/** A package whose versions are not the same. */
export interface PackageDifference {
  readonly manager: PackageManager;
  readonly name: string;
  /** Versions, sorted; several where a package is installed in several places. Empty where it is not installed. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Packages that cannot be told. */
export interface UnreadPackages {
  readonly manager: PackageManager;
  /** `format`: the database is not one that is read here (rpm); `limit`: too many files; `invalid`: not what it should be. */
  readonly reason: 'format' | 'limit' | 'invalid';
  /** Files that were not read. */
  readonly count: number;
}

/** How installed packages differ. */
export interface PackageDifferences {
  /** By manager, then by name. */
  readonly list: readonly PackageDifference[];
  readonly unread: readonly UnreadPackages[];
}

/** What a file of both images differs in. */
export type FileAspect = 'type' | 'content' | 'mode' | 'owner' | 'link' | 'device' | 'xattrs' | 'time';

/** A file as one image has it. */
export interface DiffedFile {
  readonly type: string;
  readonly size: number;
  /** Octal, with set-user-id and the like: `0755`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Of a symlink. */
  readonly link?: string;
  /** RFC 3339; nanoseconds are kept. */
  readonly time: string;
  /** Position of the layer that it comes from, base first; -1 for a root that no layer has. */
  readonly layer: number;
}

/** A path that is not the same in both. */
export interface FileDifference {
  /** From the root. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of `changed`, else empty. */
  readonly aspects: readonly FileAspect[];
  readonly before?: DiffedFile;
  readonly after?: DiffedFile;
}

/** How the file systems differ. */
export interface FileDifferences {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Paths that differ in their time alone; they are not in the list unless times were asked for. */
  readonly onlyTimes: number;
  /** Bytes of regular files in the first image that are gone or other in the second, and the other way round. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** By path; no more than the limit. */
  readonly list: readonly FileDifference[];
  /** True when the list was cut. */
  readonly truncated: boolean;
}

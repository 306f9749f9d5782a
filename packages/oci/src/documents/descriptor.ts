import type { Digest } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';

/** OCI image-spec descriptor.md: what names a blob. All three of type, digest and size are checked on the way in. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: ReadonlyMap<string, string>;
  readonly urls?: readonly string[];
  readonly artifactType?: string;
}

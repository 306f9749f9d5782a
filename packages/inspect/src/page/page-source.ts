import type { Descriptor, Digest, ImageConfig, ImageManifest } from '@boxwright/oci';
import type { SecretFinding } from '../secrets/secret-finding.ts';

/** What a page is made from. Nothing else is read. */
export interface PageSource {
  /** Of the manifest. */
  readonly digest: Digest;
  readonly manifest: Pick<ImageManifest, 'mediaType' | 'config' | 'layers'>;
  readonly config: ImageConfig;
  /** What the names stand for, an index perhaps; default: the manifest. */
  readonly descriptor?: Descriptor;
  /** Familiar names with tags. */
  readonly repoTags: readonly string[];
  /** Familiar names with digests. */
  readonly repoDigests: readonly string[];
  /** Uncompressed bytes of each layer as Docker counts them, base first; undefined for one that has not been read. */
  readonly layerSizes?: readonly (number | undefined)[];
  /** Milliseconds since 1970. */
  readonly lastTagTime?: number;
  /** Files with well-known names of secrets, of those layers that were looked through. */
  readonly secretFiles?: readonly SecretFinding[];
}

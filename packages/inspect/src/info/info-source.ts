import type { Descriptor, Digest, ImageConfig } from '@boxwright/oci';

/** What docker-inspect JSON is made from. */
export interface DockerInspectSource {
  /** Digest of the config blob. */
  readonly id: Digest;
  readonly config: ImageConfig;
  /** What the image's names stand for: a manifest or an index. */
  readonly descriptor: Descriptor;
  /** Familiar names with tags. */
  readonly repoTags: readonly string[];
  /** Familiar names with digests. */
  readonly repoDigests: readonly string[];
  /** Uncompressed bytes of all layers; left out of the JSON when it is not known. */
  readonly size?: number;
  /** Milliseconds since 1970. */
  readonly lastTagTime?: number;
}

/** A JSON object whose members are in the order in which they are printed. */
export type InfoObject = Record<string, unknown>;

/** OCI image-spec image-index.md "platform": normalised as containerd does (`arm64` without variant, `arm` with `v7`). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

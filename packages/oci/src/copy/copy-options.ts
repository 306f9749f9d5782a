import type { ImageFormat } from '../documents/media-types.ts';
import type { Platform } from '../names/platform.ts';
import type { RepositoryName } from '../registry/repository-name.ts';
import type { CopyEvent } from './copy-events.ts';
import type { LayerEncoder } from './layer-encoder.ts';
import type { PlatformPolicy } from './platform-policy.ts';

/** What is copied, and how. */
export interface CopyOptions {
  /** What is taken of an index; default: `platformChoice`. */
  readonly policy?: PlatformPolicy | undefined;
  readonly platforms?: readonly Platform[] | undefined;
  /** Takes signatures, attestations and other manifests about the image along. */
  readonly referrers?: boolean | undefined;
  /** Changes layers on their way, for example `compressLayers`; documents that name them are written anew then. */
  readonly encodeLayer?: LayerEncoder | undefined;
  /** Converts manifests to the other family of media types; layers and configs keep their bytes. */
  readonly format?: ImageFormat | undefined;
  /** More repositories of the destination's registry to mount blobs from, beside the source's own. */
  readonly mountFrom?: readonly RepositoryName[] | undefined;
  /** Looks at every part, also when the destination's name stands for the image already. */
  readonly thorough?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import type { ImageConfig } from '../documents/image-config.ts';
import { documentLimits } from '../documents/limits.ts';
import { type ImageManifest, parseManifest } from '../documents/manifest.ts';
import { isImageConfigType } from '../documents/media-types.ts';
import { parseImageConfig } from '../documents/parse-image-config.ts';
import type { Digest } from '../names/digest.ts';
import type { ContentDirectory } from './content.ts';

/** A layer by both its names. */
export interface ImageLayer {
  /** The blob, compressed or not. */
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
}

/** Old Docker clients pushed configs under this type. */
const untypedConfig = 'application/octet-stream';

/** One image of one platform in the store. Nothing is read before it is asked for, and then once. */
export class Image {
  /** The manifest. */
  readonly descriptor: Descriptor;
  readonly #blobs: ContentDirectory;
  #manifest: ImageManifest | undefined;
  #config: ImageConfig | undefined;

  constructor(blobs: ContentDirectory, descriptor: Descriptor) {
    this.#blobs = blobs;
    this.descriptor = descriptor;
  }

  /** @throws BoxwrightError BLOB_MISSING, BLOB_CORRUPT, and what {@link parseManifest} throws */
  manifest(): ImageManifest {
    if (this.#manifest === undefined) {
      const bytes = this.#blobs.read(this.descriptor.digest, documentLimits.manifestBytes);
      const manifest = parseManifest(bytes, { descriptor: this.descriptor });
      // From here on the whole image stays while the store is open, whoever removes it elsewhere.
      for (const { digest } of [manifest.config, ...manifest.layers]) this.#blobs.keep(digest);
      this.#manifest = manifest;
    }
    return this.#manifest;
  }

  /** @throws BoxwrightError as {@link manifest} and {@link parseImageConfig}; NOT_AN_IMAGE for an artifact */
  config(): ImageConfig {
    if (this.#config === undefined) {
      const { config } = this.manifest();
      if (!isImageConfigType(config.mediaType) && config.mediaType !== untypedConfig) {
        throw new BoxwrightError(
          'NOT_AN_IMAGE',
          `${this.descriptor.digest} is an artifact, not a container image: its config is ${escapeForTerminal(config.mediaType)}`,
        );
      }
      const bytes = this.#blobs.read(config.digest, documentLimits.configBytes);
      this.#config = parseImageConfig(bytes, { descriptor: config });
    }
    return this.#config;
  }

  /** The layers, base first. @throws BoxwrightError as {@link config}; IMAGE_INVALID when manifest and config disagree */
  layers(): readonly ImageLayer[] {
    const { layers } = this.manifest();
    const { diffIds } = this.config().rootfs;
    if (layers.length !== diffIds.length) {
      throw new BoxwrightError(
        'IMAGE_INVALID',
        `image ${this.descriptor.digest} has ${layers.length} layers, but its config names ${diffIds.length}`,
      );
    }
    return layers.flatMap((descriptor, index) => {
      const diffId = diffIds[index];
      return diffId === undefined ? [] : [{ descriptor, diffId }];
    });
  }
}

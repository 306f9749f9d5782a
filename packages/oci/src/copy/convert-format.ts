import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import type { ImageIndex, ImageManifest } from '../documents/manifest.ts';
import {
  compressionOf,
  convertMediaType,
  type ImageFormat,
  isImageConfigType,
  isLayerType,
} from '../documents/media-types.ts';

/**
 * True for a document that has a counterpart in the other family: an image of config and layers, or an index. Artifacts,
 * attestations and what speaks of another manifest (`subject`) exist as OCI only and stay as they are.
 */
export function isConvertible(document: ImageManifest | ImageIndex): boolean {
  if (document.subject !== undefined || document.artifactType !== undefined) return false;
  if (document.kind === 'index') return true;
  return (
    isImageConfigType(document.config.mediaType) && document.layers.every(({ mediaType }) => isLayerType(mediaType))
  );
}

/**
 * A descriptor in the other family; the bytes it names stay.
 *
 * @throws BoxwrightError FORMAT_UNSUPPORTED for a zstd layer, which Docker's format does not have
 */
export function convertDescriptor(descriptor: Descriptor, format: ImageFormat): Descriptor {
  const mediaType = convertMediaType(descriptor.mediaType, format);
  if (mediaType === descriptor.mediaType) return descriptor;
  if (format === 'docker' && compressionOf(mediaType) === 'zstd') {
    throw new BoxwrightError(
      'FORMAT_UNSUPPORTED',
      `layer ${descriptor.digest} is compressed with zstd, which Docker's image format does not know`,
      { hint: 'keep the OCI format', details: { digest: descriptor.digest } },
    );
  }
  return { ...descriptor, mediaType };
}

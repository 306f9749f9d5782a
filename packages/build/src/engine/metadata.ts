import { canonicalName, type Descriptor, parseReference, withDefaultTag } from '@boxwright/oci';
import type { CommittedImage } from '../commit/commit-image.ts';
import type { BuildRequest } from './engine.ts';

/**
 * What `--metadata-file` holds, under the keys that buildx uses.
 *
 * @param pushed what the names stand for in their registries, where the image was pushed: that is what others deploy
 */
export function buildMetadata(
  request: BuildRequest,
  image: CommittedImage,
  pushed?: Descriptor,
): Readonly<Record<string, unknown>> {
  const names = request.tags.map((tag) => canonicalName(withDefaultTag(parseReference(tag))));
  const { mediaType, digest, size } = pushed ?? image.manifest;
  return {
    'containerimage.config.digest': image.imageId,
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}

import { canonicalName, parseReference, withDefaultTag } from '@boxwright/oci';
import type { CommittedImage } from '../commit/commit-image.ts';
import type { BuildRequest } from './engine.ts';

/** What `--metadata-file` holds, under the keys that buildx uses. */
export function buildMetadata(request: BuildRequest, image: CommittedImage): Readonly<Record<string, unknown>> {
  const names = request.tags.map((tag) => canonicalName(withDefaultTag(parseReference(tag))));
  const { mediaType, digest, size } = image.manifest;
  return {
    'containerimage.config.digest': image.imageId,
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { parseManifestOrIndex } from '../documents/manifest.ts';
import { canonicalName, parseReferenceOrId, withDefaultTag } from '../names/reference.ts';
import type { PlacedImage } from '../places/place.ts';
import type { ImageStore } from '../store/store.ts';

/** The image of a name or digest (that of its manifest or index) in the store. @throws BoxwrightError IMAGE_NOT_FOUND */
export function findInStore(store: ImageStore, text: string): PlacedImage {
  const reference = parseReferenceOrId(text);
  if (typeof reference === 'string') {
    const descriptor = documentInStore(store, reference);
    if (descriptor !== undefined) return { descriptor, names: [] };
  } else {
    const named = withDefaultTag(reference);
    const { domain, path, tag, digest } = named;
    const name = canonicalName({ domain, path, ...(tag === undefined ? {} : { tag }) });
    const descriptor = digest === undefined ? store.resolve(name) : documentInStore(store, digest);
    if (descriptor !== undefined) return { descriptor, names: tag === undefined ? [] : [name] };
  }
  throw new BoxwrightError(
    'IMAGE_NOT_FOUND',
    `there is no image ${escapeForTerminal(text)} in the store ${store.root}`,
    { hint: 'boxwright images lists what is there; boxwright pull and boxwright load add to it' },
  );
}

function documentInStore(store: ImageStore, digest: Descriptor['digest']): Descriptor | undefined {
  const size = store.blobSize(digest);
  if (size === undefined || size > documentLimits.manifestBytes) return undefined;
  try {
    const { mediaType } = parseManifestOrIndex(store.readBlob(digest, documentLimits.manifestBytes));
    return { mediaType, digest, size };
  } catch {
    // A layer or a config.
    return undefined;
  }
}

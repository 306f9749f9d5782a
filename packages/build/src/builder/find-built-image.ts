import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import {
  canonicalName,
  type Descriptor,
  type Digest,
  findUntagged,
  type ImageStore,
  parseReferenceOrId,
  withDefaultTag,
} from '@boxwright/oci';

/**
 * The manifest or index that a name, an image id or a manifest's digest stands for in the store.
 *
 * @throws BoxwrightError IMAGE_NOT_FOUND, REFERENCE_INVALID
 */
export function findBuiltImage(store: ImageStore, text: string): Descriptor {
  const wanted = parseReferenceOrId(text);
  const found =
    typeof wanted === 'string' ? findById(store, wanted) : store.resolve(canonicalName(withDefaultTag(wanted)));
  if (found !== undefined) return found;
  throw new BoxwrightError(
    'IMAGE_NOT_FOUND',
    `there is no image ${escapeForTerminal(text)} in the store ${store.root}`,
    {
      hint: 'Build or load it first, into this store.',
      details: { image: text },
    },
  );
}

function findById(store: ImageStore, id: Digest): Descriptor | undefined {
  for (const { descriptor } of store.listTags()) {
    if (descriptor.digest === id || configDigest(store, descriptor) === id) return descriptor;
  }
  return findUntagged(store, id);
}

/** Undefined for an image of another platform, or a damaged one: it must not keep others from being found. */
function configDigest(store: ImageStore, descriptor: Descriptor): Digest | undefined {
  try {
    return store.image(descriptor).manifest().config.digest;
  } catch {
    return undefined;
  }
}

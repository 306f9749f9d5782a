import { BoxwrightError, closestMatch, escapeForTerminal } from '@boxwright/errors';
import {
  canonicalName,
  type Descriptor,
  type Digest,
  digestHex,
  documentLimits,
  familiarName,
  findUntagged,
  type ImageStore,
  isDigest,
  parseManifestOrIndex,
  parseReference,
  type Reference,
  type StoredTag,
  withDefaultTag,
} from '@boxwright/oci';
import { usualPlatform } from './present-platforms.ts';

/** An image that the command line named. */
export interface FoundImage {
  readonly descriptor: Descriptor;
  /** The canonical name that it was found under; absent when it was named by its id. */
  readonly name?: string;
}

/**
 * The image that `text` names in the store: a name (with `latest` where it has neither tag nor digest), or an image
 * id, whole or the start of one, with or without `sha256:`. A name wins over an id, as in Docker.
 * @throws BoxwrightError `IMAGE_NOT_FOUND`, `IMAGE_AMBIGUOUS`, `REFERENCE_INVALID`
 */
export function findImage(store: ImageStore, text: string): FoundImage {
  const tags = store.listTags();
  const byName = findByName(text, tags);
  if (byName !== undefined) return byName;
  const matches = /^(?:sha256:)?[0-9a-f]{4,64}$/.test(text) ? findById(store, text, tags) : [];
  const [found, other] = matches;
  if (found === undefined) throw notFound(store, text, tags);
  if (other !== undefined) {
    throw new BoxwrightError(
      'IMAGE_AMBIGUOUS',
      `several images have an id that starts with ${escapeForTerminal(text)}`,
      {
        hint: `Give more of it: ${matches.map((match) => match.descriptor.digest).join(', ')}`,
      },
    );
  }
  return found;
}

/** The image id: the digest of its config (of several images that for this machine, else the first that is here). */
export function imageId(store: ImageStore, descriptor: Descriptor): Digest {
  return store.image(descriptor, usualPlatform(store, descriptor)).manifest().config.digest;
}

function findByName(text: string, tags: readonly StoredTag[]): FoundImage | undefined {
  let reference: Reference;
  try {
    reference = withDefaultTag(parseReference(text));
  } catch (error) {
    // 64 hexadecimal digits and sha256:… are ids; what is neither stays the error that it is.
    if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return undefined;
    throw error;
  }
  const { digest, ...rest } = reference;
  const tag = tags.find((stored) =>
    digest === undefined
      ? stored.name === canonicalName(reference)
      : stored.descriptor.digest === digest && isNamed(stored.name, rest),
  );
  return tag === undefined ? undefined : { descriptor: tag.descriptor, name: tag.name };
}

/** True when a stored name has the repository and, where one is given, the tag. */
function isNamed(name: string, wanted: Omit<Reference, 'digest'>): boolean {
  const stored = parseReference(name);
  return (
    stored.domain === wanted.domain &&
    stored.path === wanted.path &&
    (wanted.tag === undefined || stored.tag === wanted.tag)
  );
}

/** Tagged images by id or manifest digest, then any manifest in the store; each image once. */
function findById(store: ImageStore, text: string, tags: readonly StoredTag[]): FoundImage[] {
  const prefix = text.replace(/^sha256:/, '');
  const found = new Map<Digest, FoundImage>();
  for (const { descriptor } of tags) {
    if (found.has(descriptor.digest)) continue;
    const ids = [descriptor.digest, readableId(store, descriptor)];
    if (ids.some((id) => id !== undefined && digestHex(id).startsWith(prefix)))
      found.set(descriptor.digest, { descriptor });
  }
  const digest = `sha256:${prefix}`;
  if (found.size === 0 && isDigest(digest)) {
    const descriptor = untaggedImage(store, digest);
    if (descriptor !== undefined) found.set(digest, { descriptor });
  }
  return [...found.values()];
}

/** An image that has no name, by its id or the digest of its manifest or index. */
function untaggedImage(store: ImageStore, digest: Digest): Descriptor | undefined {
  const remembered = findUntagged(store, digest);
  if (remembered !== undefined) return remembered;
  if (!store.hasBlob(digest)) return undefined;
  try {
    const bytes = store.readBlob(digest, documentLimits.manifestBytes);
    return { mediaType: parseManifestOrIndex(bytes).mediaType, digest, size: bytes.length };
  } catch {
    // A layer or a config.
    return undefined;
  }
}

/** A damaged image must not keep others from being found. */
function readableId(store: ImageStore, descriptor: Descriptor): Digest | undefined {
  try {
    return imageId(store, descriptor);
  } catch {
    return undefined;
  }
}

function notFound(store: ImageStore, text: string, tags: readonly StoredTag[]): BoxwrightError {
  const names = tags.flatMap((tag) => {
    const name = familiarName(parseReference(tag.name));
    return [name, name.replace(/:latest$/, '')];
  });
  const nearest = closestMatch(text, names);
  return new BoxwrightError(
    'IMAGE_NOT_FOUND',
    `there is no image ${escapeForTerminal(text)} in the store ${store.root}`,
    {
      hint:
        nearest === undefined
          ? 'boxwright images lists what is there; boxwright load and boxwright build add to it.'
          : `Did you mean ${nearest}?`,
      details: { image: text },
    },
  );
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { isJsonObject } from '../documents/json.ts';
import { parseJson } from '../documents/json-parser.ts';
import { type ImageIndex, parseIndex } from '../documents/manifest.ts';
import { isIndexType, isManifestType, OCI_INDEX } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import { canonicalName, parseReference, withDefaultTag } from '../names/reference.ts';
import { isReferrerTag } from '../names/referrer-tag.ts';
import { namesOf } from './image-names.ts';
import type { PlacedImage } from './place.ts';

/** OCI image-spec image-layout.md "oci-layout file". */
export const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}';

/**
 * Checks the `oci-layout` file.
 *
 * @throws BoxwrightError LAYOUT_INVALID
 */
export function checkLayoutFile(bytes: Uint8Array, where: string): void {
  try {
    const json = parseJson(bytes, { duplicateKeys: 'refuse', maxDepth: 8 });
    const version = isJsonObject(json) ? json.get('imageLayoutVersion') : undefined;
    if (typeof version === 'string' && version.startsWith('1.')) return;
  } catch (error) {
    throw layoutInvalid(where, 'its oci-layout file is not valid JSON', error);
  }
  throw layoutInvalid(where, 'its oci-layout file does not say imageLayoutVersion 1');
}

/** Reads `index.json`. @throws BoxwrightError LAYOUT_INVALID, and what {@link parseIndex} throws */
export function readLayoutIndex(bytes: Uint8Array): ImageIndex {
  return parseIndex(bytes, { mediaType: OCI_INDEX });
}

/** The images and indexes at the top of a layout; other things (artifacts of unknown types) are left out. */
export function imagesIn(index: ImageIndex): PlacedImage[] {
  const byDigest = new Map<string, { descriptor: Descriptor; names: Set<string>; refName?: string }>();
  for (const entry of index.manifests) {
    if (!isIndexType(entry.mediaType) && !isManifestType(entry.mediaType)) continue;
    const { names, refName } = namesOf(entry);
    // An image with two names has two entries.
    const key = `${entry.digest} ${refName ?? ''}`;
    const known = byDigest.get(key);
    if (known === undefined) {
      byDigest.set(key, { descriptor: entry, names: new Set(names), ...(refName === undefined ? {} : { refName }) });
    } else {
      for (const name of names) known.names.add(name);
    }
  }
  return [...byDigest.values()].map((image) => ({ ...image, names: [...image.names] }));
}

/** Which image of several is meant. */
export interface ImageChoice {
  /** A `ref.name` or a full name. */
  readonly name?: string | undefined;
  readonly digest?: Digest | undefined;
}

/**
 * The image that is meant; without a choice, the only one.
 *
 * @throws BoxwrightError IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS (both say what there is)
 */
export function chooseImage(images: readonly PlacedImage[], { name, digest }: ImageChoice, where: string): PlacedImage {
  const matching = images.filter((image) => {
    if (digest !== undefined) return image.descriptor.digest === digest;
    return name === undefined || image.refName === name || image.names.includes(name) || isNamed(image, name);
  });
  // What speaks of an image lies beside it, and is not meant unless it is named.
  const candidates = matching.length > 1 && name === undefined ? matching.filter(isImage) : matching;
  const [first, second] = candidates;
  if (first !== undefined && (second === undefined || second.descriptor.digest === first.descriptor.digest))
    return first;
  const wanted = digest ?? name;
  const there = images.map(describe).slice(0, 20).join(', ');
  if (first === undefined) {
    const what = wanted === undefined ? 'no image' : `no image ${escapeForTerminal(wanted)}`;
    throw new BoxwrightError('IMAGE_NOT_FOUND', `there is ${what} in ${where}`, {
      hint: images.length === 0 ? undefined : `there is ${there}`,
    });
  }
  throw new BoxwrightError('IMAGE_AMBIGUOUS', `there are ${candidates.length} images in ${where}`, {
    hint: `name one of them: ${there}`,
  });
}

/** False for artifacts, and for what cosign put under a tag. */
function isImage({ descriptor, refName }: PlacedImage): boolean {
  return descriptor.artifactType === undefined && !isReferrerTag(refName ?? '');
}

/** The image of that name (a tag, or a full name), the last of several. */
export function namedImage(images: readonly PlacedImage[], name: string): PlacedImage | undefined {
  return images.findLast((image) => image.refName === name || image.names.includes(name));
}

function isNamed(image: PlacedImage, text: string): boolean {
  try {
    return image.names.includes(canonicalName(withDefaultTag(parseReference(text))));
  } catch {
    return false;
  }
}

function describe(image: PlacedImage): string {
  return escapeForTerminal(image.names[0] ?? image.refName ?? image.descriptor.digest);
}

/** The error for a directory or archive that is no OCI image layout. */
export function layoutInvalid(where: string, why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('LAYOUT_INVALID', `${where} is not an OCI image layout: ${why}`, { cause });
}

import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { type ImageIndex, parseIndex } from '../documents/manifest.ts';
import { isIndexType, isManifestType } from '../documents/media-types.ts';
import { platformOf } from '../documents/parse-image-config.ts';
import { formatPlatform, type Platform } from '../names/platform.ts';
import { bestForPlatform } from '../names/platform-match.ts';
import type { ContentDirectory } from './content.ts';
import { Image } from './image.ts';

/** BuildKit marks attestations so, beside giving them the platform `unknown/unknown`. */
const referenceTypeAnnotation = 'vnd.docker.reference.type';

/** An index entry and the platform it is for, as far as anyone says. */
interface Candidate {
  readonly descriptor: Descriptor;
  readonly platform: Platform | undefined;
}

/**
 * The manifest for a platform: the descriptor itself when it is one, else the best entry of the index, also through
 * indexes inside it.
 *
 * @throws BoxwrightError PLATFORM_MISSING (says which there are), BLOB_MISSING, BLOB_CORRUPT, and what reading an index throws
 */
export function selectManifest(blobs: ContentDirectory, descriptor: Descriptor, wanted: Platform): Descriptor {
  if (!isIndexType(descriptor.mediaType)) return descriptor;
  const candidates = candidatesOf(blobs, descriptor);
  const best = bestForPlatform(wanted, candidates, (candidate) => candidate.platform);
  // A lone image that does not say what it is for is taken for the right one, as Docker does.
  const [only, ...others] = candidates;
  const unnamed = only !== undefined && others.length === 0 && only.platform === undefined ? only : undefined;
  const chosen = best ?? unnamed;
  if (chosen === undefined) throw platformMissing(descriptor, wanted, candidates);
  return chosen.descriptor;
}

/** True for entries that are no image but say something about one. */
export function isAttestation(descriptor: Descriptor): boolean {
  if (descriptor.annotations?.has(referenceTypeAnnotation) === true) return true;
  return descriptor.platform?.os === 'unknown' && descriptor.platform.architecture === 'unknown';
}

function candidatesOf(blobs: ContentDirectory, root: Descriptor): Candidate[] {
  const candidates: Candidate[] = [];
  let level: Descriptor[] = [root];
  for (let depth = 0; level.length > 0 && depth <= documentLimits.indexDepth; depth++) {
    const next: Descriptor[] = [];
    for (const descriptor of level) {
      for (const entry of readIndex(blobs, descriptor).manifests) {
        if (isAttestation(entry)) continue;
        if (isIndexType(entry.mediaType)) next.push(entry);
        else if (isManifestType(entry.mediaType)) {
          candidates.push({ descriptor: entry, platform: platformOfEntry(blobs, entry) });
        }
      }
    }
    // Only the parts of an index that were wanted need to be here.
    level = next.filter((entry) => blobs.sizeOf(entry.digest) !== undefined);
  }
  return candidates;
}

/** Reads an index that a descriptor names. */
export function readIndex(blobs: ContentDirectory, descriptor: Descriptor): ImageIndex {
  return parseIndex(blobs.read(descriptor.digest, documentLimits.manifestBytes), { descriptor });
}

/** What the entry says, else what the image's own config says when it is here. */
function platformOfEntry(blobs: ContentDirectory, entry: Descriptor): Platform | undefined {
  if (entry.platform !== undefined && entry.platform.os !== '' && entry.platform.architecture !== '')
    return entry.platform;
  if (blobs.sizeOf(entry.digest) === undefined) return undefined;
  const image = new Image(blobs, entry);
  return blobs.sizeOf(image.manifest().config.digest) === undefined ? undefined : platformOf(image.config());
}

/** The error for an index without an image for a platform. */
export function platformMissing(
  descriptor: Descriptor,
  wanted: Platform,
  candidates: readonly { readonly platform: Platform | undefined }[],
): BoxwrightError {
  const there = [
    ...new Set(
      candidates.map(({ platform }) =>
        platform === undefined ? 'unknown' : escapeForTerminal(formatPlatform(platform)),
      ),
    ),
  ];
  return new BoxwrightError(
    'PLATFORM_MISSING',
    `image ${descriptor.digest} is not for ${formatPlatform(wanted)}; it has ${there.length === 0 ? 'no image at all' : there.slice(0, 50).join(', ')}`,
    {
      hint: 'choose one of these with --platform',
      details: { digest: descriptor.digest, wanted: formatPlatform(wanted), available: there },
    },
  );
}

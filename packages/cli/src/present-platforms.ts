import { isBoxwrightError } from '@boxwright/errors';
import {
  type Descriptor,
  documentLimits,
  hostPlatform,
  type ImageStore,
  isAttestation,
  isIndexType,
  isManifestType,
  type Platform,
  parseIndex,
  platformMatches,
} from '@boxwright/oci';

/** Which images of an index are in the store: a pull takes only some. */
export interface PresentPlatforms {
  /** Platforms of which everything is here. */
  readonly platforms: readonly Platform[];
  /** False when a part of the index is missing. */
  readonly isComplete: boolean;
}

/**
 * Looks which platforms of an index are in the store; undefined for what is no index. Indexes inside of it are not
 * looked into.
 *
 * @throws BoxwrightError BLOB_MISSING, BLOB_CORRUPT, and what reading an index throws
 */
export function presentPlatforms(store: ImageStore, descriptor: Descriptor): PresentPlatforms | undefined {
  if (!isIndexType(descriptor.mediaType)) return undefined;
  const index = parseIndex(store.readBlob(descriptor.digest, documentLimits.manifestBytes), { descriptor });
  const present: Platform[] = [];
  let isComplete = true;
  for (const entry of index.manifests) {
    if (!isWhole(store, entry)) isComplete = false;
    else if (entry.platform !== undefined && isManifestType(entry.mediaType) && !isAttestation(entry)) {
      present.push(entry.platform);
    }
  }
  return { platforms: present, isComplete };
}

/**
 * The platform that is meant where none is named: undefined, for this machine's, unless only images for others are in the
 * store.
 */
export function usualPlatform(store: ImageStore, descriptor: Descriptor): Platform | undefined {
  const present = presentPlatforms(store, descriptor);
  if (present === undefined || present.isComplete) return undefined;
  const host = hostPlatform();
  return present.platforms.some((platform) => platformMatches(host, platform)) ? undefined : present.platforms[0];
}

function isWhole(store: ImageStore, entry: Descriptor): boolean {
  if (!store.hasBlob(entry.digest)) return false;
  if (!isManifestType(entry.mediaType)) return true;
  try {
    const { config, layers } = store.image(entry).manifest();
    return [config, ...layers].every(({ digest }) => store.hasBlob(digest));
  } catch (error) {
    if (isBoxwrightError(error)) return false;
    throw error;
  }
}

import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { type ImageIndex, type ImageManifest, parseManifestOrIndex } from '../documents/manifest.ts';
import { isForeignLayerType, isImageConfigType, isIndexType, isManifestType } from '../documents/media-types.ts';
import { parseImageConfig } from '../documents/parse-image-config.ts';
import type { Digest } from '../names/digest.ts';
import type { ContentDirectory } from './content.ts';

/** What descriptors lead to. */
export interface Reachable {
  /** Everything named, whether it is in the store or not. */
  readonly blobs: ReadonlySet<Digest>;
  /** The layers of those images by diffID. */
  readonly diffIds: ReadonlySet<Digest>;
  /** Documents that could not be read, in words. */
  readonly problems: readonly string[];
}

/** Follows descriptors through indexes and manifests, as far as these are in the store and can be read. */
export function reach(blobs: ContentDirectory, roots: Iterable<Descriptor>): Reachable {
  const seen = new Set<Digest>();
  const diffIds = new Set<Digest>();
  const problems: string[] = [];
  let level = [...roots];
  // One deeper than an index may lie: a manifest inside the deepest one.
  for (let depth = 0; level.length > 0 && depth <= documentLimits.indexDepth + 1; depth++) {
    const next: Descriptor[] = [];
    for (const descriptor of level) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      try {
        const document = readIfHere(blobs, descriptor);
        if (document?.kind === 'index') next.push(...document.manifests);
        else if (document !== undefined) reachImage(blobs, document, seen, diffIds);
      } catch (error) {
        if (!(error instanceof BoxwrightError)) throw error;
        problems.push(error.message);
      }
    }
    level = next;
  }
  return { blobs: seen, diffIds, problems };
}

function reachImage(blobs: ContentDirectory, manifest: ImageManifest, seen: Set<Digest>, diffIds: Set<Digest>): void {
  const { config, layers } = manifest;
  for (const { digest } of [config, ...layers]) seen.add(digest);
  if (!isImageConfigType(config.mediaType) || blobs.sizeOf(config.digest) === undefined) return;
  const { rootfs } = parseImageConfig(blobs.read(config.digest, documentLimits.configBytes), { descriptor: config });
  for (const diffId of rootfs.diffIds) diffIds.add(diffId);
}

function readIfHere(blobs: ContentDirectory, descriptor: Descriptor): ImageManifest | ImageIndex | undefined {
  const { mediaType, digest } = descriptor;
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return undefined;
  if (blobs.sizeOf(digest) === undefined) return undefined;
  return parseManifestOrIndex(blobs.read(digest, documentLimits.manifestBytes), { descriptor });
}

/**
 * All that an image consists of, once it is certain that it is there: manifest, config and layers (foreign layers may
 * be absent). Of an index, those images that are complete, at least one; what a partial pull left out may be missing.
 *
 * @throws BoxwrightError BLOB_MISSING, BLOB_MISMATCH (another size), BLOB_CORRUPT, and what reading a document throws
 */
export function completeContent(blobs: ContentDirectory, root: Descriptor): Set<Digest> {
  const content = new Set<Digest>();
  let missing: unknown;
  let images = 0;
  let level: Descriptor[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > documentLimits.indexDepth + 1) {
      throw new BoxwrightError(
        'IMAGE_INVALID',
        `${root.digest} holds indexes inside indexes, more than ${documentLimits.indexDepth} deep`,
      );
    }
    const next: Descriptor[] = [];
    for (const descriptor of level) {
      if (content.has(descriptor.digest)) continue;
      try {
        const document = parseManifestOrIndex(blobs.read(descriptor.digest, documentLimits.manifestBytes), {
          descriptor,
        });
        const parts = document.kind === 'index' ? [] : partsOf(blobs, document);
        for (const digest of [descriptor.digest, ...parts]) content.add(digest);
        if (document.kind === 'index') next.push(...document.manifests);
        else images++;
      } catch (error) {
        const isMissing = error instanceof BoxwrightError && error.code === 'BLOB_MISSING';
        if (descriptor === root || !isMissing) throw error;
        missing ??= error;
      }
    }
    level = next;
  }
  if (images === 0 && missing !== undefined) throw missing;
  return content;
}

function partsOf(blobs: ContentDirectory, manifest: ImageManifest): Digest[] {
  const parts: Digest[] = [];
  for (const { digest, size, mediaType, urls } of [manifest.config, ...manifest.layers]) {
    const have = blobs.sizeOf(digest);
    if (have === undefined && (isForeignLayerType(mediaType) || urls !== undefined)) continue;
    if (have === undefined) throw blobs.missing(digest);
    if (have !== size) throw blobs.otherSize(digest, have, size);
    parts.push(digest);
  }
  return parts;
}

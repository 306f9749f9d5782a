import type { Descriptor } from '../documents/descriptor.ts';
import { verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { parseManifestOrIndex } from '../documents/manifest.ts';
import { isForeignLayerType, isIndexType, isManifestType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';

/** What is asked of content on this machine. */
export interface LocalContent {
  /** True when a blob of that digest and size is there. */
  has(descriptor: Descriptor): boolean;
  /** A small blob that is there. */
  read(descriptor: Descriptor): Buffer;
}

/** True for a blob that is there, and for a manifest or index that is there with everything that it names. */
export function hasWhole(content: LocalContent, descriptor: Descriptor): boolean {
  const seen = new Set<Digest>();
  let level = [descriptor];
  for (let depth = 0; level.length > 0; depth++) {
    const next: Descriptor[] = [];
    for (const part of level) {
      if (seen.has(part.digest)) continue;
      seen.add(part.digest);
      if (!content.has(part)) return false;
      if (isIndexType(part.mediaType) || isManifestType(part.mediaType)) {
        const parts = partsOf(content, part);
        if (parts === undefined || depth > documentLimits.indexDepth) return false;
        next.push(...parts);
      }
    }
    level = next;
  }
  return true;
}

/** What a document names, or undefined when it is not what its descriptor says: then it is read again, and refused. */
function partsOf(content: LocalContent, descriptor: Descriptor): readonly Descriptor[] | undefined {
  try {
    const bytes = content.read(descriptor);
    verifyBytes(bytes, descriptor);
    const document = parseManifestOrIndex(bytes, { mediaType: descriptor.mediaType });
    if (document.kind === 'index') return document.manifests;
    // Windows base layers are nowhere but at their URL.
    return [document.config, ...document.layers].filter(({ mediaType }) => !isForeignLayerType(mediaType));
  } catch {
    return undefined;
  }
}

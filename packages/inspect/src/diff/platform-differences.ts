import { type Digest, formatPlatform, type ImageIndex, isAttestation, isManifestType } from '@boxwright/oci';
import type { PlatformDifference } from './model.ts';

/**
 * Platforms of two indexes that are not the same manifest, sorted by name. Attestations and nested indexes are left out;
 * of a platform that stands twice the first counts, as it does for an engine.
 */
export function platformDifferences(before: ImageIndex, after: ImageIndex): PlatformDifference[] {
  const [left, right] = [platformsOf(before), platformsOf(after)];
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((platform): PlatformDifference[] => {
    const [one, other] = [left.get(platform), right.get(platform)];
    if (one === other) return [];
    return [
      { platform, ...(one === undefined ? {} : { before: one }), ...(other === undefined ? {} : { after: other }) },
    ];
  });
}

function platformsOf({ manifests }: ImageIndex): ReadonlyMap<string, Digest> {
  const digests = new Map<string, Digest>();
  for (const entry of manifests) {
    if (entry.platform === undefined || !isManifestType(entry.mediaType) || isAttestation(entry)) continue;
    const { os, architecture, variant, osVersion } = { osVersion: undefined, ...entry.platform };
    const name = formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
    const key = osVersion === undefined ? name : `${name} ${osVersion}`;
    if (!digests.has(key)) digests.set(key, entry.digest);
  }
  return digests;
}

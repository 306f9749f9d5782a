import { type Digest, digestAlgorithm, digestHex } from './digest.ts';

/** cosign's tag scheme: signatures, attestations and bills of materials, before OCI 1.1 had referrers. */
const cosignSuffixes = ['sig', 'att', 'sbom'] as const;

/** distribution-spec "Referrers Tag Schema": algorithm and at most 64 characters of the digest. */
export function fallbackTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`;
}

/** The tags under which cosign puts what it says of a manifest. */
export function cosignTags(subject: Digest): readonly string[] {
  return cosignSuffixes.map((suffix) => `${digestAlgorithm(subject)}-${digestHex(subject)}.${suffix}`);
}

/** True for tags that nobody gave an image: what speaks of one is under them. */
export function isReferrerTag(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64,128}(?:\.(?:sig|att|sbom))?$/.test(tag);
}

export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestFromHash,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
} from './digest.ts';
export { formatPlatform, hostPlatform, normalizePlatform, type Platform, parsePlatform } from './platform.ts';
export { bestForPlatform, platformMatches, samePlatform } from './platform-match.ts';
export {
  canonicalName,
  familiarName,
  isTag,
  parseReference,
  parseReferenceOrId,
  type Reference,
  repositoryName,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts';
export { isReferrerTag } from './referrer-tag.ts';

import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { isImageConfigType, isIndexType, isManifestType } from '../documents/media-types.ts';
import { parseImageConfig, platformOf } from '../documents/parse-image-config.ts';
import type { Digest } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';
import { bestForPlatform, platformMatches, samePlatform } from '../names/platform-match.ts';
import { isAttestation, platformMissing } from '../store/select-platform.ts';
import type { DocumentReader } from './document-reader.ts';
import { REFERENCE_DIGEST } from './rewrite-document.ts';

/** An image below an index. */
interface Candidate {
  readonly descriptor: Descriptor;
  readonly platform: Platform | undefined;
  /** The indexes that lead to it, outermost first. */
  readonly path: readonly Digest[];
}

/** What is taken of an index and of those inside it. */
export interface ChosenEntries {
  /** The images that were chosen, in the order of the wanted platforms. */
  readonly images: readonly Descriptor[];
  /** The images and their attestations. */
  readonly leaves: readonly Descriptor[];
  /** For each index on the way the digests of its entries that are taken: images, their attestations, further indexes. */
  readonly kept: ReadonlyMap<Digest, ReadonlySet<Digest>>;
}

/** No index that somebody made has nearly as many inside it. */
const maxIndexes = 1000;

/**
 * Finds the images for platforms in an index, also inside further indexes. Of several for the same platform (versions of
 * an operating system) all that fit are taken, or with `single` the first; where none is the same, the best that runs.
 *
 * @throws BoxwrightError PLATFORM_MISSING (says which there are), IMAGE_INVALID, and what reading documents throws
 */
export async function choosePlatforms(
  documents: DocumentReader,
  index: Descriptor,
  platforms: readonly Platform[],
  single: boolean,
): Promise<ChosenEntries> {
  const { candidates, attestations } = await collect(documents, index);
  const chosen = new Set<Candidate>();
  for (const wanted of platforms) {
    const found = fitting(candidates, wanted, single);
    if (found.length === 0) throw platformMissing(index, wanted, candidates);
    for (const candidate of found) chosen.add(candidate);
  }
  const kept = new Map<Digest, Set<Digest>>();
  const keep = (parent: Digest, entry: Digest): void => {
    kept.set(parent, (kept.get(parent) ?? new Set()).add(entry));
  };
  const taken = new Set<string>();
  for (const { descriptor, path } of chosen) {
    taken.add(descriptor.digest);
    for (const [depth, parent] of path.entries()) keep(parent, path[depth + 1] ?? descriptor.digest);
  }
  const images = [...chosen].map(({ descriptor }) => descriptor);
  const leaves = [...images];
  for (const { descriptor, parent } of attestations) {
    const about = descriptor.annotations?.get(REFERENCE_DIGEST);
    if (about === undefined || !taken.has(about)) continue;
    keep(parent, descriptor.digest);
    leaves.push(descriptor);
  }
  return { images, leaves, kept };
}

function fitting(candidates: readonly Candidate[], wanted: Platform, single: boolean): Candidate[] {
  const best = bestForPlatform(wanted, candidates, ({ platform }) => platform);
  const [only, ...others] = candidates;
  // A lone image that does not say what it is for is taken for the right one, as Docker does.
  if (best === undefined)
    return only?.platform === undefined && only !== undefined && others.length === 0 ? [only] : [];
  if (single) return [best];
  const same = candidates.filter(
    ({ platform }) => platform !== undefined && samePlatform(wanted, platform) && platformMatches(wanted, platform),
  );
  return same.length === 0 ? [best] : same;
}

async function collect(
  documents: DocumentReader,
  root: Descriptor,
): Promise<{ candidates: Candidate[]; attestations: { descriptor: Descriptor; parent: Digest }[] }> {
  const candidates: Candidate[] = [];
  const attestations: { descriptor: Descriptor; parent: Digest }[] = [];
  let indexes = 0;
  let level: { readonly descriptor: Descriptor; readonly path: readonly Digest[] }[] = [{ descriptor: root, path: [] }];
  for (let depth = 0; level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { descriptor, path } of level) {
      indexes++;
      if (indexes > maxIndexes || depth > documentLimits.indexDepth) throw tooDeep(root);
      const document =
        depth === 0 ? await documents.document(descriptor) : await documents.optionalDocument(descriptor);
      if (document?.kind !== 'index') continue;
      const inside = [...path, descriptor.digest];
      for (const entry of document.manifests) {
        if (isAttestation(entry)) attestations.push({ descriptor: entry, parent: descriptor.digest });
        else if (isIndexType(entry.mediaType)) next.push({ descriptor: entry, path: inside });
        else if (isManifestType(entry.mediaType)) {
          candidates.push({ descriptor: entry, platform: await platformOfEntry(documents, entry), path: inside });
        }
      }
    }
    level = next;
  }
  return { candidates, attestations };
}

/** What the entry says, else what the image's own config says. */
async function platformOfEntry(documents: DocumentReader, entry: Descriptor): Promise<Platform | undefined> {
  const { platform } = entry;
  if (platform !== undefined && platform.os !== '' && platform.architecture !== '') return platform;
  const manifest = await documents.optionalDocument(entry);
  if (manifest?.kind !== 'manifest' || !isImageConfigType(manifest.config.mediaType)) return undefined;
  return platformOf(parseImageConfig(await documents.bytes(manifest.config), { descriptor: manifest.config }));
}

function tooDeep({ digest }: Descriptor): BoxwrightError {
  return new BoxwrightError('IMAGE_INVALID', `index ${digest} has indexes nested too deep, or too many of them`, {
    hint: 'No tool makes such an index by itself: name the image that you want by its digest.',
    details: { digest },
  });
}

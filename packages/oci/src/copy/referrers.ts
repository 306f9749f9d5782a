import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { parseManifestOrIndex } from '../documents/manifest.ts';
import { isImageConfigType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import { canonicalName, isTag, parseReference, withTag } from '../names/reference.ts';
import { cosignTags } from '../names/referrer-tag.ts';
import type { ImageDestination, ImageSource, PlacedImage } from '../places/place.ts';
import { isAttestation } from '../store/select-platform.ts';
import type { CopyTransfer } from './copy-transfer.ts';
import { roleOf } from './copy-transfer.ts';
import type { ImageWalk, VisitedDocument } from './image-walk.ts';
import { mapParallel } from './limiter.ts';

/** What {@link copyReferrers} works with. */
export interface CopyReferrersOptions {
  readonly source: ImageSource;
  readonly destination: ImageDestination;
  /** Names of the image at the destination: where tags of signatures go. */
  readonly names: readonly string[];
  /** The documents whose referrers are wanted. */
  readonly visited: ReadonlyMap<Digest, VisitedDocument>;
  readonly transfer: CopyTransfer;
  readonly walk: () => ImageWalk;
  readonly signal: AbortSignal;
}

/** What was taken along. */
export interface CopiedReferrers {
  readonly copied: readonly Digest[];
  /** They speak of documents that have another digest at the destination. */
  readonly left: readonly Digest[];
}

/** A manifest that speaks of another one, and the tag that it is found by where that is no `subject`. */
interface Referrer {
  readonly descriptor: Descriptor;
  readonly tag?: string;
}

/** Signatures of attestations of an image: more is not seen. */
const maxDepth = 3;
const maxReferrers = 10_000;

/**
 * Copies what speaks of copied manifests and indexes: referrers (OCI distribution-spec) and what cosign put under tags,
 * and what speaks of those. Byte for byte, so signatures still hold.
 *
 * @throws BoxwrightError IMAGE_INVALID (too many) and what copying throws
 */
export async function copyReferrers(options: CopyReferrersOptions): Promise<CopiedReferrers> {
  const copied = new Set<Digest>();
  const left = new Set<Digest>();
  let subjects = [...options.visited.values()].filter(({ from }) => !isAttestation(from));
  for (let depth = 0; depth < maxDepth && subjects.length > 0; depth++) {
    const next: VisitedDocument[] = [];
    const found = await mapParallel(subjects, options.destination.concurrency, ({ from }) => find(options, from));
    for (const [index, { from, to }] of subjects.entries()) {
      for (const referrer of found[index] ?? []) {
        options.signal.throwIfAborted();
        const { digest } = referrer.descriptor;
        if (copied.has(digest)) continue;
        if (to?.digest !== from.digest) {
          left.add(digest);
          continue;
        }
        if (copied.size >= maxReferrers) throw tooMany(options.source, from);
        copied.add(digest);
        await copyOne(options, referrer);
        next.push({ from: referrer.descriptor, to: referrer.descriptor });
      }
    }
    subjects = next;
  }
  return { copied: [...copied], left: [...left] };
}

async function find({ source, signal }: CopyReferrersOptions, subject: Descriptor): Promise<Referrer[]> {
  signal.throwIfAborted();
  const found: Referrer[] = [];
  for (const descriptor of (await source.referrers?.(subject)) ?? []) found.push({ descriptor });
  if (source.resolve === undefined) return found;
  for (const tag of cosignTags(subject.digest)) {
    const descriptor = await source.resolve(tag);
    if (descriptor !== undefined) found.push({ descriptor, tag });
  }
  return found;
}

async function copyOne(options: CopyReferrersOptions, { descriptor, tag }: Referrer): Promise<void> {
  const { destination, transfer } = options;
  const name = nameOf(options, tag);
  const walk = options.walk();
  // A registry lists by itself what it has; elsewhere it has to be entered.
  if (destination.repository !== undefined && (await isNamed(destination, descriptor, name.names))) {
    if (await walk.standing(descriptor)) return;
  }
  const document = await walk.top(descriptor);
  if (document === undefined) return;
  const start = performance.now();
  await destination.place({ descriptor: withArtifactType(descriptor, document.bytes), ...name }, document.bytes);
  transfer.written(roleOf(descriptor), descriptor, descriptor, start);
}

async function isNamed(
  destination: ImageDestination,
  { digest }: Descriptor,
  names: readonly string[],
): Promise<boolean> {
  for (const name of names) if ((await destination.resolve?.(name))?.digest !== digest) return false;
  return true;
}

/** OCI image-spec "artifactType" of descriptors: the manifest's own, else its config's type. Tells it from an image. */
function withArtifactType(descriptor: Descriptor, bytes: Buffer): Descriptor {
  const document = parseManifestOrIndex(bytes, { mediaType: descriptor.mediaType });
  const config = document.kind === 'manifest' ? document.config.mediaType : undefined;
  const artifactType = document.artifactType ?? config;
  return artifactType === undefined || isImageConfigType(artifactType) ? descriptor : { ...descriptor, artifactType };
}

function nameOf(
  { destination, names }: CopyReferrersOptions,
  tag: string | undefined,
): Omit<PlacedImage, 'descriptor'> {
  if (tag === undefined) return { names: [] };
  const repository = destination.repository;
  const [first] = names;
  if (repository !== undefined) {
    return { names: [canonicalName(withTag({ domain: repository.registry, path: repository.path }, tag))] };
  }
  // In an OCI layout a tag may be all that an image is called.
  return first === undefined || isTag(first)
    ? { names: [], refName: tag }
    : { names: [canonicalName(withTag(parseReference(first), tag))] };
}

function tooMany(source: ImageSource, { digest }: Descriptor): BoxwrightError {
  return new BoxwrightError(
    'IMAGE_INVALID',
    `${source.description} has more than ${maxReferrers} referrers of ${digest}`,
  );
}

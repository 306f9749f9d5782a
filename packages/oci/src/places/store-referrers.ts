import { type Descriptor, descriptorJson } from '../documents/descriptor.ts';
import type { JsonValue } from '../documents/json.ts';
import { goJson } from '../documents/json-writer.ts';
import { documentLimits } from '../documents/limits.ts';
import { type ImageIndex, parseIndex, parseManifestOrIndex } from '../documents/manifest.ts';
import { isIndexType, OCI_INDEX } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import { canonicalName, parseReference, withTag } from '../names/reference.ts';
import { cosignTags, fallbackTag, isReferrerTag } from '../names/referrer-tag.ts';
import type { ImageStore } from '../store/store.ts';
import type { ImageSource } from './place.ts';

/**
 * What speaks of images of the store, in any repository: a digest says enough. The store keeps it as registries without
 * the referrers API do: an index under the fallback tag of the subject, and cosign's tags as they are.
 */
export function storeReferrers(store: ImageStore): Required<Pick<ImageSource, 'referrers' | 'resolve'>> {
  let byTag: ReadonlyMap<string, Descriptor> | undefined;
  const tagged = (tag: string): Descriptor | undefined => {
    byTag ??= new Map(referrerTags(store).map(({ tag: known, descriptor }) => [known, descriptor]));
    return byTag.get(tag);
  };
  return {
    referrers: async ({ digest }) => {
      const list = tagged(fallbackTag(digest));
      return list === undefined || !isIndexType(list.mediaType) ? [] : readList(store, list).manifests;
    },
    resolve: async (name) => tagged(name) ?? store.resolve(name),
  };
}

/** Names in the store of what speaks of an image, of its parts, and of what speaks of those: they are of no use without it. */
export function referrerNames(store: ImageStore, image: Descriptor): readonly string[] {
  const tags = referrerTags(store);
  const names: string[] = [];
  const seen = new Set<Digest>();
  const waiting = tags.length === 0 ? [] : [image];
  for (let subject = waiting.pop(); subject !== undefined; subject = waiting.pop()) {
    const { digest } = subject;
    if (seen.has(digest)) continue;
    seen.add(digest);
    if (isIndexType(subject.mediaType) && store.hasBlob(digest)) waiting.push(...readList(store, subject).manifests);
    const about = new Set([fallbackTag(digest), ...cosignTags(digest)]);
    for (const { name, tag, descriptor } of tags) {
      if (!about.has(tag)) continue;
      names.push(name);
      waiting.push(descriptor);
    }
  }
  return names;
}

/** Manifests that were written without a name, by what they speak of. */
export class NewReferrers {
  readonly #bySubject = new Map<Digest, Descriptor[]>();

  /** Notes a manifest when it has a subject. */
  add(descriptor: Descriptor, bytes: Buffer): void {
    const { subject } = parseManifestOrIndex(bytes, { mediaType: descriptor.mediaType });
    if (subject === undefined) return;
    this.#bySubject.set(subject.digest, [...(this.#bySubject.get(subject.digest) ?? []), descriptor]);
  }

  /** Puts them on the lists of their subjects, in the repository of an image. They stay for as long as their list. */
  keep(store: ImageStore, image: string): void {
    const repository = parseReference(image);
    for (const [subject, added] of this.#bySubject) {
      const name = canonicalName(withTag(repository, fallbackTag(subject)));
      const list = store.resolve(name);
      const known = list === undefined || !isIndexType(list.mediaType) ? [] : readList(store, list).manifests;
      const fresh = added.filter(({ digest }) => known.every((entry) => entry.digest !== digest));
      if (fresh.length > 0) store.tag(name, writeList(store, [...known, ...fresh]));
    }
  }
}

/** A name of the store whose tag is that of something about an image. */
interface ReferrerTag {
  readonly name: string;
  readonly tag: string;
  readonly descriptor: Descriptor;
}

function referrerTags(store: ImageStore): readonly ReferrerTag[] {
  return store.listTags().flatMap(({ name, descriptor }) => {
    const { tag } = parseReference(name);
    return tag !== undefined && isReferrerTag(tag) ? [{ name, tag, descriptor }] : [];
  });
}

function readList(store: ImageStore, descriptor: Descriptor): ImageIndex {
  return parseIndex(store.readBlob(descriptor.digest, documentLimits.manifestBytes), { descriptor });
}

function writeList(store: ImageStore, manifests: readonly Descriptor[]): Descriptor {
  const list = new Map<string, JsonValue>([
    ['schemaVersion', 2],
    ['mediaType', OCI_INDEX],
    ['manifests', manifests.map(descriptorJson)],
  ]);
  const blob = store.createBlob();
  blob.write(Buffer.from(goJson(list)));
  const { digest, size } = blob.commit();
  return { mediaType: OCI_INDEX, digest, size };
}

import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { parseManifestOrIndex } from '../documents/manifest.ts';
import type { Digest } from '../names/digest.ts';
import type { ImageSource, PlacedImage } from './place.ts';

/**
 * Finds manifests of a layout that have another one as their subject. They stand in `index.json`, where nothing says what
 * they are about, so all of it is read when somebody first asks.
 */
export function layoutReferrers(
  images: readonly PlacedImage[],
  source: Pick<ImageSource, 'has' | 'readDocument'>,
): (subject: Descriptor) => Promise<readonly Descriptor[]> {
  let bySubject: Promise<ReadonlyMap<Digest, readonly Descriptor[]>> | undefined;
  return async ({ digest }) => {
    bySubject ??= readSubjects(images, source);
    return (await bySubject).get(digest) ?? [];
  };
}

async function readSubjects(
  images: readonly PlacedImage[],
  source: Pick<ImageSource, 'has' | 'readDocument'>,
): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> {
  const found = new Map<Digest, Map<Digest, Descriptor>>();
  for (const { descriptor } of images) {
    if (descriptor.size > documentLimits.manifestBytes || !(await source.has(descriptor))) continue;
    const { subject } = parseManifestOrIndex(await source.readDocument(descriptor), { descriptor });
    if (subject === undefined) continue;
    const referrers = found.get(subject.digest) ?? new Map<Digest, Descriptor>();
    // What index.json calls it has no meaning elsewhere.
    const { annotations: _, ...plain } = descriptor;
    found.set(subject.digest, referrers.set(descriptor.digest, plain));
  }
  return new Map([...found].map(([digest, referrers]) => [digest, [...referrers.values()]]));
}

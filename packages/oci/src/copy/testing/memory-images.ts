import { buildImageConfig } from '../../documents/build-image-config.ts';
import { type Descriptor, descriptorOf } from '../../documents/descriptor.ts';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../documents/media-types.ts';
import { serializeIndex, serializeManifest } from '../../documents/serialize.ts';
import type { Platform } from '../../names/platform.ts';
import type { MemoryRepository } from './memory-place.ts';

/** For tests: linux on an architecture. */
export function linux(architecture: string, variant?: string): Platform {
  return { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) };
}

/** For tests: an image of plain layers with that content. */
export function putImage(
  place: MemoryRepository,
  layers: readonly string[],
  platform: Platform = linux('amd64'),
): Descriptor {
  const blobs = layers.map((text) => ({ mediaType: OCI_LAYER, ...place.put(Buffer.from(text)) }));
  const config = buildImageConfig({
    ...platform,
    created: '2026-01-01T00:00:00Z',
    config: {},
    rootfs: { diffIds: blobs.map(({ digest }) => digest) },
    history: [],
  });
  place.put(config);
  const manifest = serializeManifest({ config: descriptorOf(config, OCI_CONFIG), layers: blobs });
  return { ...place.putManifest(manifest, OCI_MANIFEST), platform };
}

/** BuildKit's attestation of an image, an entry of the same index. */
function putAttestation(place: MemoryRepository, about: Descriptor): Descriptor {
  const image = putImage(place, [`statement about ${about.digest}`], { os: 'unknown', architecture: 'unknown' });
  const annotations = new Map([
    ['vnd.docker.reference.digest', about.digest],
    ['vnd.docker.reference.type', 'attestation-manifest'],
  ]);
  return { ...image, annotations };
}

/** For tests: an index. */
export function putIndex(place: MemoryRepository, manifests: readonly Descriptor[], tag?: string): Descriptor {
  return place.putManifest(serializeIndex({ manifests }), OCI_INDEX, tag);
}

/** For tests: an artifact (OCI 1.1), about another manifest when it has a subject. */
export function putArtifact(place: MemoryRepository, text: string, subject?: Descriptor, tag?: string): Descriptor {
  const layer = { mediaType: 'application/vnd.example+json', ...place.put(Buffer.from(text)) };
  const config = { mediaType: OCI_EMPTY, ...place.put(Buffer.from('{}')) };
  const bytes = serializeManifest({
    artifactType: 'application/vnd.example',
    config,
    layers: [layer],
    subject: plain(subject),
  });
  return place.putManifest(bytes, OCI_MANIFEST, tag);
}

function plain(descriptor: Descriptor | undefined): Descriptor | undefined {
  if (descriptor === undefined) return undefined;
  const { mediaType, digest, size } = descriptor;
  return { mediaType, digest, size };
}

/** For tests: a multi-platform index with attestations, as BuildKit pushes it, under the tag `1`. */
export function putMultiPlatform(place: MemoryRepository): {
  readonly index: Descriptor;
  readonly amd64: Descriptor;
  readonly arm64: Descriptor;
  readonly about: readonly Descriptor[];
} {
  const amd64 = putImage(place, ['shared', 'for amd64']);
  const arm64 = putImage(place, ['shared', 'for arm64'], linux('arm64'));
  const armv7 = putImage(place, ['shared', 'for arm'], linux('arm', 'v7'));
  const about = [amd64, arm64, armv7].map((image) => putAttestation(place, image));
  return { index: putIndex(place, [amd64, arm64, armv7, ...about], '1'), amd64, arm64, about };
}

import { type Descriptor, descriptorJson } from './descriptor.ts';
import type { JsonValue } from './json.ts';
import { goJson, sortedObject } from './json-writer.ts';
import { OCI_INDEX, OCI_MANIFEST } from './media-types.ts';

/** What {@link serializeManifest} writes. */
export interface ManifestParts {
  /** OCI when left out. Layers and config must be of the same family: see `convertMediaType`. */
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: ReadonlyMap<string, string> | undefined;
}

/** What {@link serializeIndex} writes. */
export interface IndexParts {
  /** OCI when left out. */
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: ReadonlyMap<string, string> | undefined;
}

/** A new manifest, in BuildKit's member order and indentation. For one that exists already, use its `raw` bytes. */
export function serializeManifest(parts: ManifestParts): Buffer {
  return serialize(parts.mediaType ?? OCI_MANIFEST, parts, [
    ['config', descriptorJson(parts.config)],
    ['layers', parts.layers.map(descriptorJson)],
  ]);
}

/** A new index, in BuildKit's member order and indentation. For one that exists already, use its `raw` bytes. */
export function serializeIndex(parts: IndexParts): Buffer {
  return serialize(parts.mediaType ?? OCI_INDEX, parts, [['manifests', parts.manifests.map(descriptorJson)]]);
}

function serialize(
  mediaType: string,
  { artifactType = '', subject, annotations }: Pick<IndexParts, 'artifactType' | 'subject' | 'annotations'>,
  content: readonly (readonly [string, JsonValue])[],
): Buffer {
  const members: (readonly [string, JsonValue])[] = [
    ['schemaVersion', 2],
    ['mediaType', mediaType],
  ];
  if (artifactType !== '') members.push(['artifactType', artifactType]);
  members.push(...content);
  if (subject !== undefined) members.push(['subject', descriptorJson(subject)]);
  if (annotations !== undefined && annotations.size > 0) members.push(['annotations', sortedObject(annotations)]);
  return Buffer.from(goJson(new Map(members), '  '));
}

import type { Descriptor } from '../documents/descriptor.ts';
import { parseDigest } from '../names/digest.ts';

/** A descriptor as plain JSON for the store's own records. */
export function describeDescriptor(descriptor: Descriptor): Record<string, unknown> {
  const { mediaType, digest, size, platform, annotations, urls, artifactType } = descriptor;
  return {
    mediaType,
    digest,
    size,
    platform,
    annotations: annotations === undefined ? undefined : [...annotations],
    urls,
    artifactType,
  };
}

/**
 * Reads what {@link describeDescriptor} wrote.
 *
 * @throws Error when it is anything else
 */
export function readDescriptor(value: unknown): Descriptor {
  if (typeof value !== 'object' || value === null) throw new TypeError('not a descriptor record');
  const fields: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  const mediaType = fields.get('mediaType');
  const digest = fields.get('digest');
  const size = fields.get('size');
  if (typeof mediaType !== 'string' || typeof digest !== 'string') throw new TypeError('not a descriptor record');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw new TypeError('not a size');
  const platform = fields.get('platform');
  const annotations = fields.get('annotations');
  const urls = fields.get('urls');
  const artifactType = fields.get('artifactType');
  return {
    mediaType,
    digest: parseDigest(digest),
    size,
    ...(platform === undefined ? {} : { platform: readPlatform(platform) }),
    ...(annotations === undefined ? {} : { annotations: readAnnotations(annotations) }),
    ...(urls === undefined ? {} : { urls: readTexts(urls) }),
    ...(artifactType === undefined ? {} : { artifactType: readText(artifactType) }),
  };
}

function readPlatform(value: unknown): NonNullable<Descriptor['platform']> {
  if (typeof value !== 'object' || value === null) throw new TypeError('not a platform');
  const fields: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  const variant = fields.get('variant');
  const osVersion = fields.get('osVersion');
  const osFeatures = fields.get('osFeatures');
  return {
    os: readText(fields.get('os')),
    architecture: readText(fields.get('architecture')),
    ...(variant === undefined ? {} : { variant: readText(variant) }),
    ...(osVersion === undefined ? {} : { osVersion: readText(osVersion) }),
    ...(osFeatures === undefined ? {} : { osFeatures: readTexts(osFeatures) }),
  };
}

function readAnnotations(value: unknown): Map<string, string> {
  if (!Array.isArray(value)) throw new TypeError('not annotations');
  return new Map(
    value.map((pair: unknown): [string, string] => {
      if (!Array.isArray(pair)) throw new TypeError('not annotations');
      return [readText(pair[0]), readText(pair[1])];
    }),
  );
}

function readTexts(value: unknown): string[] {
  if (!Array.isArray(value)) throw new TypeError('not a list of texts');
  return value.map(readText);
}

function readText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not a text');
  return value;
}

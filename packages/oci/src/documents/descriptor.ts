import { BoxwrightError } from '@boxwright/errors';
import { type Digest, digestAlgorithm, digestOf, parseDigest } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';
import type { Fields } from './fields.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { sortedObject } from './json-writer.ts';
import { isMediaType } from './media-types.ts';

/** OCI image-spec descriptor.md: what names a blob. All three of type, digest and size are checked on the way in. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: ReadonlyMap<string, string>;
  readonly urls?: readonly string[];
  readonly artifactType?: string;
}

/**
 * Checks bytes against what names them: size first, then digest (threats D2).
 *
 * @throws BoxwrightError `BLOB_MISMATCH`
 */
export function verifyBytes(bytes: Uint8Array, descriptor: Descriptor): void {
  const { digest, size, mediaType } = descriptor;
  if (bytes.length !== size) {
    throw mismatch(descriptor, `has ${bytes.length} bytes where its descriptor (${mediaType}) says ${size}`, {
      expected: size,
      actual: bytes.length,
    });
  }
  const actual = digestOf(bytes, digestAlgorithm(digest));
  if (actual !== digest) {
    throw mismatch(descriptor, `has the digest ${actual}`, { expected: digest, actual });
  }
}

function mismatch(descriptor: Descriptor, why: string, details: Readonly<Record<string, unknown>>): BoxwrightError {
  return new BoxwrightError('BLOB_MISMATCH', `the content of ${descriptor.digest} ${why}`, {
    hint: 'The content was damaged or exchanged on its way or on disk: fetch it again.',
    details: { ...details, digest: descriptor.digest },
  });
}

/**
 * The descriptor of a document or blob at hand.
 *
 * @param more platform, annotations and the like
 */
export function descriptorOf(
  bytes: Uint8Array,
  mediaType: string,
  more: Omit<Descriptor, 'mediaType' | 'digest' | 'size'> = {},
): Descriptor {
  return { ...more, mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** Reads and checks a descriptor inside a document. */
export function readDescriptor(fields: Fields): Descriptor {
  fields.refuseLookalikes(['mediaType', 'digest', 'size', 'urls', 'data', 'platform', 'annotations', 'artifactType']);
  const mediaType = fields.string('mediaType');
  if (!isMediaType(mediaType)) fields.fail('mediaType', 'is not a media type');
  const size = fields.optionalInteger('size');
  if (size === undefined) return fields.fail('size', 'is missing');
  if (size < 0) fields.fail('size', 'is negative');
  const platform = fields.optionalObject('platform');
  const annotations = fields.stringMap('annotations');
  const urls = fields.strings('urls');
  const artifactType = fields.optionalString('artifactType') ?? '';
  return {
    mediaType,
    digest: readDigest(fields, 'digest'),
    size,
    ...(platform === undefined ? {} : { platform: readPlatform(platform) }),
    ...(annotations.size === 0 ? {} : { annotations }),
    ...(urls.length === 0 ? {} : { urls }),
    ...(artifactType === '' ? {} : { artifactType }),
  };
}

/** Reads a digest inside a document: checked before anything else uses it (threats D1). */
export function readDigest(fields: Fields, name: string): Digest {
  return checkedDigest(fields, name, fields.string(name));
}

/** Checks one digest of a document that is at `name`. */
export function checkedDigest(fields: Fields, name: string, text: string): Digest {
  try {
    return parseDigest(text);
  } catch (error) {
    return fields.fail(name, 'is not a sha256 or sha512 digest', error);
  }
}

/** Reads `os`, `architecture` and the rest as they are written, in an index entry or at the top of an image config. */
export function readPlatform(fields: Fields): Platform {
  const variant = fields.optionalString('variant') ?? '';
  const osVersion = fields.optionalString('os.version') ?? '';
  const osFeatures = fields.strings('os.features');
  return {
    os: fields.optionalString('os') ?? '',
    architecture: fields.optionalString('architecture') ?? '',
    ...(variant === '' ? {} : { variant }),
    ...(osVersion === '' ? {} : { osVersion }),
    ...(osFeatures.length === 0 ? {} : { osFeatures }),
  };
}

/** The descriptor in the member order of the Go type that Docker and BuildKit write it from. */
export function descriptorJson(descriptor: Descriptor): JsonObject {
  const { mediaType, digest, size, urls = [], annotations, platform, artifactType } = descriptor;
  const members: [string, JsonValue][] = [
    ['mediaType', mediaType],
    ['digest', digest],
    ['size', size],
  ];
  if (urls.length > 0) members.push(['urls', urls]);
  if (annotations !== undefined && annotations.size > 0) members.push(['annotations', sortedObject(annotations)]);
  if (platform !== undefined) members.push(['platform', platformJson(platform)]);
  if (artifactType !== undefined && artifactType !== '') members.push(['artifactType', artifactType]);
  return new Map(members);
}

function platformJson({ architecture, os, osVersion, osFeatures = [], variant }: Platform): JsonObject {
  const members: [string, JsonValue][] = [
    ['architecture', architecture],
    ['os', os],
  ];
  if (osVersion !== undefined && osVersion !== '') members.push(['os.version', osVersion]);
  if (osFeatures.length > 0) members.push(['os.features', osFeatures]);
  if (variant !== undefined && variant !== '') members.push(['variant', variant]);
  return new Map(members);
}

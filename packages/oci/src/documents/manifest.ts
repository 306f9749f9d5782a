import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type Descriptor, readDescriptor, verifyBytes } from './descriptor.ts';
import { Fields, INVALID_HINT } from './fields.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { JsonSyntaxError, parseJson } from './json-parser.ts';
import { documentLimits } from './limits.ts';
import {
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  isIndexType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';

/** An OCI image manifest or Docker manifest of schema 2: OCI image-spec image-manifest.md. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations: ReadonlyMap<string, string>;
  /** The bytes as they came: what the digest is of. */
  readonly raw: Buffer;
  /** All members, also those that have no field here. */
  readonly json: JsonObject;
}

/** An OCI index or Docker manifest list: OCI image-spec image-index.md. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Manifests and further indexes. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations: ReadonlyMap<string, string>;
  /** The bytes as they came: what the digest is of. */
  readonly raw: Buffer;
  /** All members, also those that have no field here. */
  readonly json: JsonObject;
}

const memberNames: readonly string[] = [
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'fsLayers',
  'manifests',
  'subject',
  'annotations',
];

/** What is known about a document before it is read. */
export interface ParseOptions {
  /** From a Content-Type header (parameters are ignored) or a descriptor; the document's own must not differ. */
  readonly mediaType?: string | undefined;
  /** What named the document: its type, digest and size are all compared (threats D2). */
  readonly descriptor?: Descriptor | undefined;
}

/**
 * Reads a manifest or an index, whichever it is.
 *
 * @throws BoxwrightError `DOCUMENT_INVALID`, `DOCUMENT_TOO_LARGE`, `DOCUMENT_TYPE_MISMATCH`, `DOCUMENT_UNSUPPORTED`,
 *   `BLOB_MISMATCH`
 */
export function parseManifestOrIndex(bytes: Uint8Array, options: ParseOptions = {}): ImageManifest | ImageIndex {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = readDocument(raw, 'image manifest', documentLimits.manifestBytes, options.descriptor);
  fields.refuseLookalikes(memberNames);
  const mediaType = mediaTypeOf(fields, expectedTypes(options));
  const artifactType = fields.optionalString('artifactType') ?? '';
  const subject = fields.optionalObject('subject');
  const common = {
    mediaType,
    ...(artifactType === '' ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject: readDescriptor(subject) }),
    annotations: fields.stringMap('annotations'),
    raw,
    json: fields.json,
  };
  if (isIndexType(mediaType)) {
    const manifests = fields.objects('manifests', documentLimits.indexEntries).map(readDescriptor);
    return { kind: 'index', ...common, manifests };
  }
  const config = readDescriptor(fields.object('config'));
  const layers = fields.objects('layers', documentLimits.layers).map(readDescriptor);
  return { kind: 'manifest', ...common, config, layers };
}

/**
 * Reads a manifest of one image.
 *
 * @throws BoxwrightError as {@link parseManifestOrIndex}; `DOCUMENT_TYPE_MISMATCH` for an index
 */
export function parseManifest(bytes: Uint8Array, options: ParseOptions = {}): ImageManifest {
  const document = parseManifestOrIndex(bytes, options);
  if (document.kind === 'manifest') return document;
  throw typeMismatch(`an image manifest was expected, but this is an index (${document.mediaType})`);
}

/**
 * Reads an index.
 *
 * @throws BoxwrightError as {@link parseManifestOrIndex}; `DOCUMENT_TYPE_MISMATCH` for a manifest
 */
export function parseIndex(bytes: Uint8Array, options: ParseOptions = {}): ImageIndex {
  const document = parseManifestOrIndex(bytes, options);
  if (document.kind === 'index') return document;
  throw typeMismatch(`an image index was expected, but this is a manifest (${document.mediaType})`);
}

/** Checks size, digest and JSON syntax; shared with image configs. */
export function readDocument(
  raw: Buffer,
  document: string,
  maxBytes: number,
  descriptor: Descriptor | undefined,
  duplicateKeys: 'refuse' | 'last' = 'refuse',
): Fields {
  if (raw.length > maxBytes) {
    throw new BoxwrightError('DOCUMENT_TOO_LARGE', `the ${document} has ${raw.length} bytes, more than ${maxBytes}`, {
      details: { document, size: raw.length, limit: maxBytes },
    });
  }
  if (descriptor !== undefined) verifyBytes(raw, descriptor);
  try {
    const json = parseJson(raw, { duplicateKeys, maxDepth: documentLimits.jsonDepth });
    if (isJsonObject(json)) return new Fields(document, json);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new BoxwrightError('DOCUMENT_INVALID', `the ${document} is not valid JSON: ${error.message}`, {
      hint: INVALID_HINT,
      cause: error,
      details: { document, offset: error.offset },
    });
  }
  throw new BoxwrightError('DOCUMENT_INVALID', `the ${document} is not a JSON object`, {
    hint: INVALID_HINT,
    details: { document },
  });
}

function expectedTypes({ mediaType, descriptor }: ParseOptions): string[] {
  // A Content-Type may carry parameters: "; charset=utf-8".
  const announced = mediaType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return [announced, descriptor?.mediaType ?? ''].filter((type) => type !== '');
}

/**
 * The one type that the document's own `mediaType`, what it was announced as, and its members all agree on (threats D3:
 * a document that is both a manifest and an index is read differently by different tools).
 */
function mediaTypeOf(fields: Fields, expected: readonly string[]): string {
  const own = fields.optionalString('mediaType') ?? '';
  const claims = new Set([...expected, ...(own === '' ? [] : [own])]);
  const [claim, other] = claims;
  if (claim !== undefined && other !== undefined) {
    throw typeMismatch(`it is announced as ${shown(claim)}, but says of itself that it is ${shown(other)}`);
  }
  const isSchema1 = fields.has('fsLayers') || fields.json.get('schemaVersion') === 1;
  if (claim === DOCKER_SCHEMA1 || claim === DOCKER_SCHEMA1_SIGNED || (claim === undefined && isSchema1)) {
    throw new BoxwrightError('DOCUMENT_UNSUPPORTED', 'the image manifest has the old Docker schema 1', {
      hint: 'Push the image again with a current tool (Docker 1.10 of 2016, or later).',
    });
  }
  if (fields.json.get('schemaVersion') !== 2) fields.fail('schemaVersion', 'is not 2');

  const hasManifests = fields.has('manifests');
  const hasImage = fields.has('config') || fields.has('layers') || fields.has('fsLayers');
  const mediaType = claim ?? (hasManifests ? OCI_INDEX : OCI_MANIFEST);
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) {
    throw new BoxwrightError('DOCUMENT_UNSUPPORTED', `the media type "${shown(mediaType)}" is not that of an image`, {
      hint: 'This may be an artifact of another kind: use the tool that made it.',
      details: { mediaType },
    });
  }
  if (isIndexType(mediaType) ? hasImage : hasManifests) {
    const both = hasManifests && hasImage;
    throw typeMismatch(
      both ? 'it is a manifest and an index at the same time' : `its members are not those of ${mediaType}`,
    );
  }
  return mediaType;
}

function typeMismatch(why: string): BoxwrightError {
  return new BoxwrightError('DOCUMENT_TYPE_MISMATCH', `the document is refused: ${why}`, {
    hint: 'Readers would disagree about what it is: whoever made it has to make and push it again.',
  });
}

function shown(mediaType: string): string {
  return escapeForTerminal(mediaType.slice(0, 255));
}

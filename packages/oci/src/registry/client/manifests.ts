import { BoxwrightError } from '@boxwright/errors';
import { type Descriptor, verifyBytes } from '../../documents/descriptor.ts';
import { documentLimits } from '../../documents/limits.ts';
import { type ImageIndex, type ImageManifest, parseManifestOrIndex } from '../../documents/manifest.ts';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  isIndexType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../documents/media-types.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../names/digest.ts';
import type { RegistryRequest } from '../session/registries.ts';
import type { HttpResponse } from '../transport/http.ts';
import { contentDigest, contentLength, contentType, looksLikeHtml, signalOf } from './answers.ts';
import { invalidAnswer, manifestPath, placeOf, pullScope, type RepositoryContext, withPlace } from './context.ts';
import { readWhole } from './read-whole.ts';
import type { FetchedManifest, RequestOptions } from './repository.ts';

/** Types that are asked for. Schema 1 is not among them; a registry that has nothing else sends it all the same. */
const accept = [OCI_INDEX, DOCKER_MANIFEST_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(', ');

/** What servers send that do not know what they send: says nothing about the document. */
const vagueTypes: ReadonlySet<string> = new Set(['', 'application/json', 'application/octet-stream', 'text/plain']);

/** Statuses by which servers say that they have no HEAD here. */
const withoutHead: readonly number[] = [400, 405, 501];

/** See {@link Repository.resolve}. */
export async function resolveManifest(
  context: RepositoryContext,
  reference: string,
  options: RequestOptions = {},
): Promise<Descriptor | undefined> {
  const request = manifestRequest(context, 'HEAD', reference, options);
  const response = await context.registries.send(context.name, {
    ...request,
    expect: [200, 404, ...withoutHead],
  });
  await response.discard();
  if (response.status === 404) return undefined;
  if (response.status === 200) {
    const descriptor = described(context, response, reference, request.what);
    if (descriptor !== undefined) return descriptor;
  }
  return (await tryFetch(context, reference, options))?.descriptor;
}

/** The manifest, or undefined when there is none of that name. */
export async function tryFetch(
  context: RepositoryContext,
  reference: string,
  options: RequestOptions = {},
): Promise<FetchedManifest | undefined> {
  return await fetch(context, reference, undefined, options, [200, 404]);
}

/** See {@link Repository.manifest}. */
export async function fetchManifest(
  context: RepositoryContext,
  reference: string | Descriptor,
  options: RequestOptions = {},
): Promise<FetchedManifest> {
  const [text, descriptor] = typeof reference === 'string' ? [reference] : [reference.digest, reference];
  const fetched = await fetch(context, text, descriptor, options, [200]);
  // 404 was not expected, so the session has thrown.
  if (fetched === undefined) throw invalidAnswer(context.name, `manifest ${text}`, 'no answer');
  return fetched;
}

async function fetch(
  context: RepositoryContext,
  reference: string,
  descriptor: Descriptor | undefined,
  options: RequestOptions,
  expect: readonly number[],
): Promise<FetchedManifest | undefined> {
  const request = { ...manifestRequest(context, 'GET', reference, options), expect };
  try {
    return await fetchOnce(context, request, reference, descriptor);
  } catch (error) {
    // A mirror may have damaged it, the registry itself is asked once more.
    if (!(error instanceof BoxwrightError) || error.code !== 'BLOB_MISMATCH' || !request.allowMirrors) throw error;
    context.trustsMirrors = false;
    return await fetchOnce(context, { ...request, allowMirrors: false }, reference, descriptor);
  }
}

async function fetchOnce(
  context: RepositoryContext,
  request: RegistryRequest,
  reference: string,
  descriptor: Descriptor | undefined,
): Promise<FetchedManifest | undefined> {
  const { response, bytes } = await readWhole(context, request, documentLimits.manifestBytes);
  if (response.status === 404) return undefined;
  try {
    const digest = verifiedDigest(context, response, reference, bytes, request.what);
    const mediaType = contentType(response);
    const document = parseManifestOrIndex(bytes, {
      mediaType: vagueTypes.has(mediaType) ? undefined : mediaType,
      descriptor,
    });
    refuseSelfReference(document, digest);
    const own = { mediaType: document.mediaType, digest, size: bytes.length };
    return { descriptor: { ...descriptor, ...own }, document, bytes };
  } catch (error) {
    if (looksLikeHtml(response, bytes)) {
      throw invalidAnswer(context.name, request.what, 'the answer is an HTML page, not a manifest', error);
    }
    throw withPlace(context.name, request.what, error);
  }
}

/** The digest of the bytes, which the reference and the headers must not contradict (threats D2, R2). */
function verifiedDigest(
  { name }: RepositoryContext,
  response: HttpResponse,
  reference: string,
  bytes: Buffer,
  what: string,
): Digest {
  if (isDigest(reference)) {
    verifyBytes(bytes, { mediaType: 'manifest', digest: reference, size: bytes.length });
    return reference;
  }
  const announced = contentDigest(response);
  if (announced === undefined) return digestOf(bytes);
  if (announced === 'invalid') throw invalidAnswer(name, what, 'its Docker-Content-Digest header is not a digest');
  const actual = digestOf(bytes, digestAlgorithm(announced));
  if (actual === announced) return announced;
  throw new BoxwrightError(
    'BLOB_MISMATCH',
    `${placeOf(name, what)} has the digest ${actual}, but the registry announces it as ${announced}`,
    {
      hint: 'The content was damaged or exchanged on its way, or the registry is broken: try again, or without a proxy.',
      details: { registry: name.registry, repository: name.path, expected: announced, actual },
    },
  );
}

/** What the headers of a HEAD answer say; undefined when that is not enough. */
function described(
  { name }: RepositoryContext,
  response: HttpResponse,
  reference: string,
  what: string,
): Descriptor | undefined {
  const mediaType = contentType(response);
  if (mediaType === DOCKER_SCHEMA1 || mediaType === DOCKER_SCHEMA1_SIGNED) throw schema1(name, what);
  const announced = contentDigest(response);
  const size = contentLength(response);
  if (announced === 'invalid') throw invalidAnswer(name, what, 'its Docker-Content-Digest header is not a digest');
  const digest = isDigest(reference) ? reference : announced;
  if (digest === undefined || size === undefined || !(isManifestType(mediaType) || isIndexType(mediaType))) {
    return undefined;
  }
  // Only digests of one algorithm can be compared; a registry may announce its canonical one.
  if (announced !== undefined && digestAlgorithm(announced) === digestAlgorithm(digest) && announced !== digest) {
    throw invalidAnswer(name, what, `it is announced as ${announced}`);
  }
  if (size > documentLimits.manifestBytes) {
    throw new BoxwrightError(
      'DOCUMENT_TOO_LARGE',
      `${placeOf(name, what)} has ${size} bytes, more than the ${documentLimits.manifestBytes} that one may have`,
      { hint: 'No honest image has one that large.', details: { size, limit: documentLimits.manifestBytes } },
    );
  }
  return { mediaType, digest, size };
}

function manifestRequest(
  { name, trustsMirrors }: RepositoryContext,
  method: 'GET' | 'HEAD',
  reference: string,
  options: RequestOptions,
): Omit<RegistryRequest, 'expect'> {
  return {
    method,
    target: manifestPath(name, reference),
    scopes: pullScope(name),
    headers: { accept },
    what: `manifest ${reference}`,
    allowMirrors: trustsMirrors && options.mirrors === true,
    ...signalOf(options),
  };
}

/** A document cannot name its own digest; one that does was put together to send readers round in circles. */
function refuseSelfReference(document: ImageManifest | ImageIndex, digest: Digest): void {
  if (document.kind !== 'index' || document.manifests.every((entry) => entry.digest !== digest)) return;
  throw new BoxwrightError('DOCUMENT_INVALID', `the index ${digest} names itself`);
}

function schema1(name: RepositoryContext['name'], what: string): BoxwrightError {
  return new BoxwrightError('DOCUMENT_UNSUPPORTED', `${placeOf(name, what)} has the old Docker schema 1`, {
    hint: 'Push the image again with a current tool (Docker 1.10 of 2016, or later).',
    details: { registry: name.registry, repository: name.path },
  });
}

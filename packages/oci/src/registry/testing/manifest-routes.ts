import type { StoredManifest } from './registry-content.ts';
import { bodyOf, digestHeader, failed, type Route, unknown } from './route.ts';
import { sha256 } from './stored-blob.ts';
import type { Reply } from './test-server.ts';

const MANIFEST_LIMIT = 4 << 20;

/** `/v2/NAME/manifests/REFERENCE`: distribution specification, end-2, end-7, end-9. */
export async function manifestRoute(route: Route, reference: string): Promise<Reply> {
  const { method } = route.request;
  if (method === 'PUT') return putManifest(route, reference);
  const digest = route.repository.resolve(reference);
  const manifest = digest === undefined ? undefined : route.repository.manifests.get(digest);
  if (digest === undefined || manifest === undefined) return unknown('MANIFEST_UNKNOWN', `manifest ${reference}`);
  if (method === 'DELETE') return deleteManifest(route, reference, digest);
  if (method !== 'GET' && method !== 'HEAD') return failed(405, 'UNSUPPORTED', 'method not allowed');
  return {
    status: 200,
    headers: {
      'content-type': manifest.mediaType,
      'content-length': String(manifest.bytes.length),
      etag: `"${digest}"`,
      ...digestHeader(route, digest),
    },
    body: manifest.bytes,
  };
}

function deleteManifest({ repository, behaviour }: Route, reference: string, digest: string): Reply {
  if (behaviour.delete === false) return failed(405, 'UNSUPPORTED', 'the operation is unsupported');
  if (reference !== digest) {
    repository.tags.delete(reference);
    return { status: 202 };
  }
  repository.manifests.delete(digest);
  for (const [tag, target] of repository.tags) if (target === digest) repository.tags.delete(tag);
  return { status: 202 };
}

async function putManifest(route: Route, reference: string): Promise<Reply> {
  const bytes = await bodyOf(route.request);
  if (bytes.length > MANIFEST_LIMIT) return failed(413, 'MANIFEST_INVALID', 'manifest is larger than 4 MiB');
  const document = parse(bytes);
  if (document === undefined) return failed(400, 'MANIFEST_INVALID', 'manifest is no JSON object');
  const mediaType = route.request.headers['content-type'] ?? '';
  if (typeof document.mediaType === 'string' && document.mediaType !== mediaType) {
    return failed(400, 'MANIFEST_INVALID', `Content-Type ${mediaType} is not the manifest's ${document.mediaType}`);
  }
  const digest = sha256(bytes);
  const byDigest = reference.includes(':');
  if (byDigest && reference !== digest) return failed(400, 'DIGEST_INVALID', `content is ${digest}, not ${reference}`);
  if (!byDigest && !/^\w[\w.-]{0,127}$/.test(reference)) return failed(400, 'TAG_INVALID', 'tag is not valid');
  const missing = missingOf(route, document);
  if (missing.length > 0 && route.behaviour.incomplete !== true) {
    return failed(400, 'MANIFEST_BLOB_UNKNOWN', `manifest names what is not there: ${missing.join(', ')}`);
  }
  route.repository.manifests.set(digest, { mediaType, bytes });
  if (!byDigest) route.repository.tags.set(reference, digest);
  const subject = route.behaviour.referrers === false ? undefined : document.subject?.digest;
  return {
    status: 201,
    headers: {
      location: `/v2/${route.name}/manifests/${digest}`,
      ...digestHeader(route, digest),
      ...(subject === undefined ? {} : { 'oci-subject': subject }),
    },
  };
}

/** The fields that a registry looks at. */
interface Document {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly config?: { readonly digest: string; readonly mediaType: string };
  readonly layers?: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly urls?: readonly string[];
  }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
}

function parse(bytes: Buffer): Document | undefined {
  try {
    // Only tests send documents here; a field of another type makes the request fail, as it should.
    const value: Document | undefined = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function missingOf({ repository }: Route, document: Document): string[] {
  const blobs = [document.config, ...(document.layers ?? []).filter(({ urls = [] }) => urls.length === 0)];
  return [
    ...blobs.flatMap((blob) => (blob === undefined || repository.blobs.has(blob.digest) ? [] : [blob.digest])),
    ...(document.manifests ?? []).flatMap(({ digest }) => (repository.manifests.has(digest) ? [] : [digest])),
  ];
}

/** Descriptors of the manifests whose subject this is, with what the specification takes over from them. */
export function referrersOf(manifests: ReadonlyMap<string, StoredManifest>, subject: string): object[] {
  return [...manifests].flatMap(([digest, { bytes, mediaType }]) => {
    const document = parse(bytes);
    if (document?.subject?.digest !== subject) return [];
    const artifactType = document.artifactType ?? document.config?.mediaType;
    return [
      {
        mediaType,
        digest,
        size: bytes.length,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
      },
    ];
  });
}

import type { RegistryContent, TestRepository } from './registry-content.ts';
import type { Reply, TestRequest } from './test-server.ts';
import { json } from './token-service.ts';

/** How the registry behaves where registries differ. */
export interface RegistryBehaviour {
  /** Referrers API and OCI-Subject; default true. False: clients have to use the fallback tag. */
  readonly referrers?: boolean;
  /** Whether a mount that names another repository works; default true. False: 202, as when mounting is not supported. */
  readonly mount?: boolean;
  /** Whether manifests, tags and blobs can be deleted; default true. */
  readonly delete?: boolean;
  /** Most names of one page of tags, repositories or referrers; default 1000. */
  readonly pageSize?: number;
  /** OCI-Chunk-Min-Length of upload answers. */
  readonly chunkMinLength?: number;
  /** False: a PATCH is answered with 405. */
  readonly chunks?: boolean;
  /** Most bytes of one request's body: more is answered with 413, while the client still sends. */
  readonly bodyLimit?: number;
  /** False: Range is ignored. */
  readonly ranges?: boolean;
  /** False: answers about manifests and blobs have no Docker-Content-Digest. */
  readonly digestHeader?: boolean;
  /**
   * `distribution`: as measured with CNCF Distribution 2.8: a PATCH that was cut off and any Location but the newest kill
   * their session (404), Content-Range is not looked at, a POST with a digest does not take the body. Default `keep`.
   */
  readonly cutUploads?: 'keep' | 'distribution';
  /** Form of upload Locations; default `absolute`. `elsewhere`: at another origin, which wants no credentials. */
  readonly locations?: 'absolute' | 'relative' | 'elsewhere';
  /** Reading a blob is answered with a redirect to another origin, which wants no credentials. */
  readonly redirectBlobs?: boolean;
  /** Stores any bytes under the digest that is said to be theirs, as careless registries do. */
  readonly lenient?: boolean;
  /** Whether manifests may name what the repository does not have; default false. */
  readonly incomplete?: boolean;
  /** Bigger blobs are only hashed and counted, and cannot be read; default: all are kept. */
  readonly keepUpTo?: number;
  /** Warning headers (`299 - "text"`) of each answer. */
  readonly warnings?: readonly string[];
}

/** One request, taken apart. */
export interface Route {
  readonly request: TestRequest;
  readonly content: RegistryContent;
  readonly repository: TestRepository;
  readonly name: string;
  readonly behaviour: RegistryBehaviour;
  /** Where this server and the other origin are. */
  readonly base: string;
  readonly elsewhere: string;
}

/** An error answer with the body of the distribution specification, "Error Codes". */
export function failed(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return json(status, { errors: [{ code, message, detail: null }] }, headers);
}

/** 404 for content. */
export function unknown(code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'BLOB_UPLOAD_UNKNOWN', what: string): Reply {
  return failed(404, code, `${what} unknown to registry`);
}

/** The digest header, where the registry has it. */
export function digestHeader(route: Route, digest: string): Record<string, string> {
  return route.behaviour.digestHeader === false ? {} : { 'docker-content-digest': digest };
}

/** All of a request's body. */
export async function bodyOf(request: TestRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request.body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

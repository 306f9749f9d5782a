import type { Upload } from './registry-content.ts';
import { failed, type Route, unknown } from './route.ts';
import type { Reply } from './test-server.ts';

/** `POST /v2/NAME/blobs/uploads/`: distribution specification, end-4 and end-11. */
export async function startUploadRoute(route: Route): Promise<Reply> {
  const { request, repository, content, behaviour } = route;
  if (request.method !== 'POST') return failed(405, 'UNSUPPORTED', 'method not allowed');
  const { searchParams } = request.url;
  const mount = searchParams.get('mount');
  const from = searchParams.get('from');
  if (mount !== null && from !== null && behaviour.mount !== false) {
    const blob = content.repositories.get(from)?.blobs.get(mount);
    if (blob !== undefined) {
      repository.blobs.set(mount, blob);
      return created(route, mount);
    }
  }
  const upload = repository.startUpload(behaviour.keepUpTo ?? Number.POSITIVE_INFINITY);
  const digest = searchParams.get('digest');
  if (digest === null || behaviour.cutUploads === 'distribution') return uploadState(route, upload, 202);
  const problem = await take(route, upload);
  return problem ?? commit(route, upload, digest);
}

/** `/v2/NAME/blobs/uploads/ID`: end-5, end-6, end-13; DELETE cancels, as in CNCF Distribution. */
export async function uploadRoute(route: Route, id: string): Promise<Reply> {
  const { request, repository, behaviour } = route;
  const upload = repository.uploads.get(id);
  if (upload === undefined) return unknown('BLOB_UPLOAD_UNKNOWN', `upload ${id}`);
  if (behaviour.cutUploads === 'distribution' && request.url.searchParams.get('_state') !== String(upload.state)) {
    repository.uploads.delete(id);
    return failed(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid');
  }
  switch (request.method) {
    case 'GET':
      return uploadState(route, upload, 204);
    case 'DELETE':
      repository.uploads.delete(id);
      return { status: 204 };
    case 'PATCH':
      if (behaviour.chunks === false) return failed(405, 'UNSUPPORTED', 'the operation is unsupported');
      return (await take(route, upload)) ?? uploadState(route, upload, 202);
    case 'PUT': {
      const digest = request.url.searchParams.get('digest');
      if (digest === null) return failed(400, 'DIGEST_INVALID', 'no digest');
      return (await take(route, upload)) ?? commit(route, upload, digest);
    }
    default:
      return failed(405, 'UNSUPPORTED', 'method not allowed');
  }
}

/** Takes the body in; the answer that refuses it, if so. */
async function take(route: Route, upload: Upload): Promise<Reply | undefined> {
  const { request, behaviour } = route;
  const header = behaviour.cutUploads === 'distribution' ? undefined : request.headers['content-range'];
  const range = /^(\d+)-(\d+)$/.exec(header ?? '');
  const size = request.headers['content-length'];
  if (header !== undefined && range === null) {
    return failed(400, 'BLOB_UPLOAD_INVALID', 'Content-Range is not START-END');
  }
  if (range !== null && Number(range[1]) !== upload.content.size) return outOfOrder(route, upload);
  if (range !== null && size !== undefined && Number(range[2]) - Number(range[1]) + 1 !== Number(size)) {
    return failed(400, 'SIZE_INVALID', 'Content-Range and Content-Length differ');
  }
  const { bodyLimit = Number.POSITIVE_INFINITY } = behaviour;
  if (size !== undefined && Number(size) > bodyLimit) return failed(413, 'SIZE_INVALID', 'request entity too large');
  const start = upload.content.size;
  try {
    for await (const piece of request.body) upload.content.add(piece);
  } catch (error) {
    upload.state += 1; // what has come is kept; who knows the session only by its old Location does not know that
    throw error;
  }
  if (upload.content.size > start) upload.state += 1;
  return undefined;
}

function outOfOrder(route: Route, upload: Upload): Reply {
  const { status: _status, headers = {} } = uploadState(route, upload, 416);
  return { status: 416, headers };
}

function commit(route: Route, upload: Upload, digest: string): Reply {
  const { repository, behaviour } = route;
  repository.uploads.delete(upload.id);
  if (behaviour.lenient !== true && !upload.content.has(digest))
    return failed(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  repository.blobs.set(digest, upload.content.toBlob());
  return created(route, digest);
}

function created({ base, name }: Route, digest: string): Reply {
  return {
    status: 201,
    headers: { location: `${base}/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest },
  };
}

function uploadState(route: Route, upload: Upload, status: number): Reply {
  const { base, elsewhere, name, behaviour } = route;
  const path = `/v2/${name}/blobs/uploads/${upload.id}?_state=${upload.state}`;
  const origin = { absolute: base, relative: '', elsewhere }[behaviour.locations ?? 'absolute'];
  return {
    status,
    headers: {
      location: `${origin}${path}`,
      range: `0-${Math.max(0, upload.content.size - 1)}`,
      'docker-upload-uuid': upload.id,
      ...(behaviour.chunkMinLength === undefined ? {} : { 'oci-chunk-min-length': String(behaviour.chunkMinLength) }),
    },
  };
}

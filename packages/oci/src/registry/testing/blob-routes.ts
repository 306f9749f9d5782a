import { digestHeader, failed, type Route, unknown } from './route.ts';
import type { StoredBlob } from './stored-blob.ts';
import type { Reply, TestRequest } from './test-server.ts';

/** `/v2/NAME/blobs/DIGEST`: distribution specification, end-2, end-10. */
export async function blobRoute(route: Route, digest: string): Promise<Reply> {
  const { method } = route.request;
  const blob = route.repository.blobs.get(digest);
  if (blob === undefined) return unknown('BLOB_UNKNOWN', `blob ${digest}`);
  if (method === 'DELETE') {
    if (route.behaviour.delete === false) return failed(405, 'UNSUPPORTED', 'the operation is unsupported');
    route.repository.blobs.delete(digest);
    return { status: 202 };
  }
  if (method !== 'GET' && method !== 'HEAD') return failed(405, 'UNSUPPORTED', 'method not allowed');
  if (method === 'GET' && route.behaviour.redirectBlobs === true) {
    return { status: 307, headers: { location: `${route.elsewhere}/storage/${digest}?signature=secret` } };
  }
  return blobReply(route.request, digest, blob, route.behaviour.ranges !== false, digestHeader(route, digest));
}

/** The content, or the part of it that Range asks for (RFC 9110, section 14.2). */
export function blobReply(
  request: TestRequest,
  digest: string,
  blob: StoredBlob,
  ranges: boolean,
  extra: Readonly<Record<string, string>> = {},
): Reply {
  const headers = { 'content-type': 'application/octet-stream', etag: `"${digest}"`, ...extra };
  const range = ranges ? /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') : null;
  const condition = request.headers['if-range'];
  if (range === null || (condition !== undefined && condition !== `"${digest}"`)) {
    return {
      status: 200,
      headers: {
        ...headers,
        'content-length': String(blob.size),
        ...(ranges ? { 'accept-ranges': 'bytes' } : {}),
      },
      body: blob.read(0, blob.size),
    };
  }
  const [, first = '', last = ''] = range;
  const start = first === '' ? Math.max(0, blob.size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? blob.size : Math.min(blob.size, Number(last) + 1);
  if (start >= end) return { status: 416, headers: { 'content-range': `bytes */${blob.size}` } };
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(end - start),
      'content-range': `bytes ${start}-${end - 1}/${blob.size}`,
    },
    body: blob.read(start, end),
  };
}

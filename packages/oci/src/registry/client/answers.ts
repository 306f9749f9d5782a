import { type Digest, isDigest } from '../../names/digest.ts';
import type { HttpResponse } from '../transport/http.ts';
import type { RequestOptions } from './repository.ts';

/** For exactOptionalPropertyTypes: a signal that is there, or nothing. */
export function signalOf({ signal }: RequestOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The media type of an answer, without parameters. */
export function contentType(response: HttpResponse): string {
  return (response.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Content-Length, when it is a number. */
export function contentLength(response: HttpResponse): number | undefined {
  const text = response.header('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Docker-Content-Digest, when there is one. */
export function contentDigest(response: HttpResponse): Digest | 'invalid' | undefined {
  const text = response.header('docker-content-digest') ?? '';
  if (text === '') return undefined;
  return isDigest(text) ? text : 'invalid';
}

/** True for what proxies and login pages send where a document was asked for. */
export function looksLikeHtml(response: HttpResponse, bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart().toLowerCase();
  return contentType(response) === 'text/html' || start.startsWith('<!doctype html') || start.startsWith('<html');
}

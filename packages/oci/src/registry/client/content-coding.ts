import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { decompress } from '../../compress/decompress.ts';
import { type CompressionKind, detectCompression } from '../../compress/detect-compression.ts';
import type { HttpResponse } from '../transport/http.ts';
import { contentLength } from './answers.ts';

/** Codings (RFC 9110 section 8.4.1) that can be undone. */
const codings: ReadonlyMap<string, CompressionKind> = new Map<string, CompressionKind>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
]);

/**
 * How the body is encoded, although nothing but `identity` was asked for: some proxies do it all the same (threats R4).
 * Undefined when it is not, or is the content itself after all: storage services label blobs that are gzip files.
 *
 * @param expected bytes of the body as it should be
 */
export function codingOf(response: HttpResponse, expected: number | undefined): CompressionKind | undefined {
  const coding = (response.header('content-encoding') ?? '').trim().toLowerCase();
  if (coding === '' || coding === 'identity') return undefined;
  if (expected !== undefined && contentLength(response) === expected) return undefined;
  const kind = codings.get(coding);
  if (kind !== undefined) return kind;
  const shown = escapeForTerminal(coding.slice(0, 40));
  throw new BoxwrightError(
    'REGISTRY_ANSWER_INVALID',
    `the answer of ${response.url.host} is encoded with "${shown}", although that was not asked for`,
    { hint: 'A proxy on the way does that: go around it, or tell it to leave this host alone.' },
  );
}

/** Expanding goes on so far beyond a limit that the caller, who counts, is the one to say so. */
const slack = 512 * 1024;

/** The body without its coding, not much more than `limit` bytes of it. */
export function undoCoding(
  body: AsyncIterable<Uint8Array>,
  kind: CompressionKind,
  limit: number,
): AsyncIterable<Uint8Array> {
  return decompress(body, kind, { freeBytes: limit + slack, maxRatio: 0, maxBytes: limit + slack });
}

/** The bytes of a document without their coding; those that only seem to have one as they are. */
export async function* decodedDocument(
  response: HttpResponse,
  bytes: Buffer,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const kind = codingOf(response, undefined);
  if (kind === undefined || detectCompression(bytes) !== kind) yield bytes;
  else yield* undoCoding(once(bytes), kind, limit);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
}

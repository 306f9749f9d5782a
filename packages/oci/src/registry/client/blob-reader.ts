import type { Hash } from 'node:crypto';
import { BoxwrightError } from '@boxwright/errors';
import type { Descriptor } from '../../documents/descriptor.ts';
import { digestAlgorithm, digestFromHash } from '../../names/digest.ts';
import type { HttpResponse } from '../transport/http.ts';
import { contentLength, signalOf } from './answers.ts';
import { codingOf, undoCoding } from './content-coding.ts';
import { placeOf, pullScope, type RepositoryContext, repositoryPath, withPlace } from './context.ts';
import type { ReadOptions } from './repository.ts';

/** Tries without at least {@link progress} bytes in between. */
const maxTries = 6;
/** A connection that brought this much was a good one: counting begins anew. Bounds what a server that drips can cost. */
const progress = 1024 * 1024;

/** See {@link Repository.readBlob}. */
export async function* readBlob(
  context: RepositoryContext,
  descriptor: Descriptor,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { digest, size } = descriptor;
  const { offset = 0 } = options;
  if (offset > size || offset < 0) throw new RangeError(`a blob of ${size} bytes has no offset ${offset}`);
  const start = context.checkpoints.begin(digest, offset);
  let complete = false;
  try {
    const reading = new BlobReading(context, descriptor, start.hash, start.position);
    for await (const piece of reading.pieces(options)) {
      // The last piece is handed out when everything was found right: no more states are needed.
      if (reading.position < size) start.note(reading.position, reading.hash);
      const skip = offset - (reading.position - piece.length);
      if (skip <= 0) yield piece;
      else if (skip < piece.length) yield piece.subarray(skip);
    }
    complete = true;
  } finally {
    start.end(complete);
  }
}

/** One reading of a blob, over as many connections as it takes. */
class BlobReading {
  readonly #context: RepositoryContext;
  readonly #descriptor: Descriptor;
  /** Of all bytes up to `position`. */
  readonly hash: Hash;
  /** Bytes that were read and hashed. */
  position: number;
  /** False once the server answered a Range with something else than that range. */
  #rangesWork = true;
  /** The piece that completes the blob, once it has come and all bytes were found right. */
  #last: Uint8Array | undefined;

  constructor(context: RepositoryContext, descriptor: Descriptor, hash: Hash, position: number) {
    this.#context = context;
    this.#descriptor = descriptor;
    this.hash = hash;
    this.position = position;
  }

  /** The bytes from where the hash stands; the last piece when all of them were found right. */
  async *pieces(options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const { registries } = this.#context;
    for (let tries = 1, since = this.position; ; tries++) {
      // Errors of asking are final: the session has tried often enough.
      const response = await this.#ask(options);
      try {
        yield* this.#body(response);
        if (this.#last !== undefined) yield this.#last;
        return;
      } catch (thrown) {
        options.signal?.throwIfAborted();
        const error = withPlace(this.#context.name, `blob ${this.#descriptor.digest}`, thrown);
        if (this.#last !== undefined && registries.isTransient(error)) {
          // All bytes are here; only the word that this was all was lost.
          yield this.#last;
          return;
        }
        if (this.position - since >= progress) tries = 1;
        if (tries >= maxTries || !registries.isTransient(error)) throw error;
        since = this.position;
        await registries.pause(tries, error, options.signal);
      }
    }
  }

  /** Asks for what is left. The body of the answer begins at `position`, or at 0. */
  async #ask(options: ReadOptions): Promise<HttpResponse> {
    const { name, registries, trustsMirrors } = this.#context;
    const { digest, size } = this.#descriptor;
    const ranged = this.position > 0 && this.position < size && this.#rangesWork;
    const response = await registries.send(name, {
      method: 'GET',
      target: repositoryPath(name, `blobs/${digest}`),
      scopes: pullScope(name),
      // No If-Range: the digest decides whether the parts fit, and storage hosts have entity tags of their own.
      ...(ranged ? { headers: { range: `bytes=${this.position}-` } } : {}),
      expect: ranged ? [200, 206, 416] : [200],
      what: `blob ${digest}`,
      allowMirrors: trustsMirrors && options.mirrors === true,
      ...signalOf(options),
    });
    if (response.status === 200) return response;
    if (response.status === 206 && this.#isWantedRange(response)) return response;
    await response.discard();
    this.#rangesWork = false;
    return await this.#ask(options);
  }

  /** RFC 9110 section 14.4: the range that was asked for, of a blob of the right size. */
  #isWantedRange(response: HttpResponse): boolean {
    const [, first, total] =
      /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(response.header('content-range') ?? '') ?? [];
    return Number(first) === this.position && (total === '*' || Number(total) === this.#descriptor.size);
  }

  async *#body(response: HttpResponse): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#descriptor;
    // A server that does not know ranges sends it all again: what is known already is left out.
    let skip = response.status === 206 ? 0 : this.position;
    await this.#checkLength(response, size - this.position + skip);
    for await (const raw of this.#decoded(response, skip)) {
      if (raw.length <= skip) {
        skip -= raw.length;
        continue;
      }
      const piece = skip === 0 ? raw : raw.subarray(skip);
      skip = 0;
      if (this.position + piece.length > size) {
        throw this.#mismatch(`has more than the ${size} bytes of its descriptor`);
      }
      this.position += piece.length;
      this.hash.update(piece);
      if (this.position < size) {
        yield piece;
        continue;
      }
      this.#checkDigest();
      // The piece that completes the blob waits until the server has said that this was all.
      this.#last = Buffer.from(piece);
    }
    if (this.position < size) throw this.#mismatch(`ends after ${this.position} of ${size} bytes`);
    if (size === 0) this.#checkDigest();
  }

  /** The body without a coding that was not asked for. */
  #decoded(response: HttpResponse, skip: number): AsyncIterable<Uint8Array> {
    const expected = this.#descriptor.size - this.position + skip;
    const coding = codingOf(response, expected);
    if (coding === undefined) return response.body;
    // Ranges would be those of the encoded bytes.
    this.#rangesWork = false;
    return undoCoding(response.body, coding, expected);
  }

  async #checkLength(response: HttpResponse, expected: number): Promise<void> {
    const length = contentLength(response);
    if (length === undefined || length === expected || codingOf(response, expected) !== undefined) return;
    await response.discard();
    throw this.#mismatch(`comes with ${length} bytes where ${expected} are expected`);
  }

  #checkDigest(): void {
    const { digest } = this.#descriptor;
    const algorithm = digestAlgorithm(digest);
    const actual = digestFromHash(this.hash, algorithm);
    if (actual !== digest) throw this.#mismatch(`has the digest ${actual}`, { actual });
  }

  #mismatch(why: string, details: Readonly<Record<string, unknown>> = {}): BoxwrightError {
    const { name } = this.#context;
    const { digest, size } = this.#descriptor;
    this.#context.trustsMirrors = false;
    return new BoxwrightError('BLOB_MISMATCH', `${placeOf(name, `blob ${digest}`)} ${why}`, {
      hint: 'The content was damaged or exchanged on its way, or the registry is broken: try again, or without a proxy.',
      details: { ...details, digest, size, registry: name.registry, repository: name.path },
    });
  }
}

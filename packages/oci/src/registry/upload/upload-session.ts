import type { Digest } from '../../names/digest.ts';
import { digestAlgorithm, isDigest } from '../../names/digest.ts';
import type { Scope } from '../auth/authenticator.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { Registries, RegistryRequest } from '../session/registries.ts';
import type { HttpResponse } from '../transport/http.ts';
import { Setback, uploadFailed } from './upload-errors.ts';

/** Where uploads go to. */
export interface UploadTarget {
  readonly registries: Registries;
  readonly repository: RepositoryName;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes to send: a part of a blob. */
export interface OutgoingBytes {
  /** Where in the blob they begin. */
  readonly offset: number;
  /** Absent: until the end, which is not known yet. */
  readonly size?: number | undefined;
  /** See {@link RegistryRequest}. */
  readonly body: Uint8Array | (() => AsyncIterable<Uint8Array>);
}

/** A Location longer than this is not kept: headers of all HTTP servers are below it. */
const maxLocation = 16 * 1024;

/** Statuses by which registries say that a session is not (or no longer) there or not usable. */
const lostStatuses: readonly number[] = [400, 404, 409, 410];
/** 200, 201 and 204 are not in the specification, but come from registries. */
const doneStatuses: readonly number[] = [200, 201, 202, 204];
/** The registry has no such request. */
const unsupportedStatuses: readonly number[] = [405, 501];

/**
 * One upload session at the registry: distribution-spec "Pushing a blob in chunks". Its URL changes with every answer.
 *
 * What CNCF Distribution does, measured on 2.8.2 and read in later ones:
 *
 * - The Location carries `_state`, a signed note of the offset. 2.8 answers 404 BLOB_UPLOAD_INVALID to everything, GET
 *   too, when the note is not about the size that its file has. So a session of 2.8 survives between two requests, and is
 *   lost with any PATCH that was interrupted after its first byte arrived, or whose answer was lost. From 3.0 on GET
 *   ignores the note and tells the offset and a fresh Location: it then goes on from the byte.
 * - Each PATCH ends with an fsync of the file.
 * - 2.8 ignores Content-Range and appends whatever comes; 3.0 answers 416 to a wrong one.
 * - `Range: 0-0` says both "nothing" and "one byte".
 * - An unfinished session is kept for a week.
 */
export class UploadSession {
  readonly #target: UploadTarget;
  readonly #what: string;
  /** Bytes that every chunk but the last must have (OCI-Chunk-Min-Length); 0 when any size will do. */
  readonly minChunk: number;
  #location: URL;

  constructor(target: UploadTarget, what: string, location: URL, minChunk: number) {
    this.#target = target;
    this.#what = what;
    this.#location = location;
    this.minChunk = minChunk;
  }

  /** Where the next request goes to. */
  get location(): URL {
    return this.#location;
  }

  /** @throws BoxwrightError of sending; UPLOAD_FAILED when the registry names no usable Location */
  static async start(target: UploadTarget, what: string): Promise<UploadSession> {
    const { registries, repository } = target;
    const response = await registries.send(repository, {
      ...commonParts(target, what),
      method: 'POST',
      target: `/v2/${repository.path}/blobs/uploads/`,
      body: new Uint8Array(0),
      expect: [202],
      // A session too many costs nothing, it expires.
      retry: 'safe',
    });
    await response.discard();
    const location = locationOf(response);
    if (location === undefined) {
      throw uploadFailed(
        repository,
        what,
        'the registry opened an upload, but did not say where (no usable Location)',
        {
          hint: 'This does not behave like a registry: check the address, and proxies in between.',
        },
      );
    }
    const minimum = /^[0-9]{1,15}$/.exec(response.header('oci-chunk-min-length')?.trim() ?? '')?.[0];
    return new UploadSession(target, what, location, Number(minimum ?? 0));
  }

  /**
   * Sends a chunk by PATCH.
   *
   * @returns the offset that the registry is at now, when it says so
   * @throws Setback; BoxwrightError of sending
   */
  async patch({ offset, size, body }: OutgoingBytes): Promise<number | undefined> {
    const response = await this.#send({
      method: 'PATCH',
      target: this.#location,
      headers: {
        'content-type': 'application/octet-stream',
        // Without a unit: distribution-spec "Pushing a blob in chunks". A body of unknown length has none, which is how
        // docker push sends all of its layers.
        ...(size === undefined ? {} : { 'content-range': `${offset}-${offset + size - 1}` }),
      },
      body,
      ...(size === undefined ? {} : { bodySize: size }),
      expect: [...doneStatuses, ...lostStatuses, ...unsupportedStatuses, 413, 416],
    });
    await this.#settle(response);
    return offsetOf(response.header('range'));
  }

  /**
   * Asks where the registry is: GET of the upload URL (distribution-spec "Pushing a blob in chunks", 204).
   *
   * @returns undefined when the session is gone, or the registry cannot tell
   */
  async offset(): Promise<number | undefined> {
    const response = await this.#send({
      method: 'GET',
      target: this.#location,
      retry: 'safe',
      expect: [...doneStatuses, ...lostStatuses, ...unsupportedStatuses, 416],
    });
    await response.discard();
    if (!doneStatuses.includes(response.status)) return undefined;
    this.#moveTo(response);
    const range = response.header('range');
    return range === undefined ? 0 : offsetOf(range);
  }

  /**
   * Commits by PUT, with the whole content as the body or, after chunks, without one.
   *
   * @throws Setback; BoxwrightError of sending, UPLOAD_FAILED when the registry says that it stored something else
   */
  async commit(digest: Digest, whole?: OutgoingBytes): Promise<void> {
    const url = new URL(this.#location);
    // Appended as text: the query is the registry's, maybe signed, and not to be written anew.
    url.search = `${url.search}${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
    const response = await this.#send({
      method: 'PUT',
      target: url,
      headers: { 'content-type': 'application/octet-stream' },
      body: whole?.body ?? new Uint8Array(0),
      ...(whole?.size === undefined ? {} : { bodySize: whole.size }),
      expect: [...doneStatuses, ...lostStatuses, 413, 416],
    });
    await this.#settle(response, false);
    const stored = response.header('docker-content-digest') ?? digest;
    // Distribution answers with its canonical digest, which may be of another algorithm than ours.
    if (isDigest(stored) && digestAlgorithm(stored) === digestAlgorithm(digest) && stored !== digest) {
      throw uploadFailed(this.#target.repository, this.#what, `the registry says that it stored ${stored}`);
    }
  }

  /** True when the registry has the blob: what counts when the answer to a commit was lost (threats R7). */
  static async exists(target: UploadTarget, digest: Digest, size: number): Promise<boolean> {
    const { registries, repository } = target;
    const response = await registries.send(repository, {
      ...commonParts(target, `blob ${digest}`),
      method: 'HEAD',
      target: `/v2/${repository.path}/blobs/${digest}`,
      expect: [200, 404],
    });
    await response.discard();
    return response.status === 200 && Number(response.header('content-length') ?? size) === size;
  }

  /** Gives the session back. Whether that works is of no consequence: it expires. */
  async cancel(): Promise<void> {
    try {
      const response = await this.#target.registries.send(this.#target.repository, {
        ...commonParts({ ...this.#target, signal: AbortSignal.timeout(5000) }, this.#what),
        method: 'DELETE',
        target: this.#location,
        expect: [...doneStatuses, ...lostStatuses, ...unsupportedStatuses, 416],
      });
      await response.discard();
    } catch {
      // See above.
    }
  }

  async #send(request: Omit<RegistryRequest, 'scopes' | 'what' | 'signal'>): Promise<HttpResponse> {
    const { registries, repository } = this.#target;
    return await registries.send(repository, { ...commonParts(this.#target, this.#what), ...request });
  }

  /** Takes the new Location from an answer that says yes, throws for others. */
  async #settle(response: HttpResponse, moves = true): Promise<void> {
    const { status } = response;
    if (doneStatuses.includes(status)) {
      await response.discard();
      if (moves) this.#moveTo(response);
      return;
    }
    const answer = await shortAnswer(response);
    if (status === 413) throw new Setback('too-large', answer);
    if (unsupportedStatuses.includes(status)) throw new Setback('no-chunks', answer);
    if (answer.endsWith(' DIGEST_INVALID')) throw new Setback('damaged', answer);
    throw new Setback(status === 416 ? 'range' : 'lost', answer);
  }

  #moveTo(response: HttpResponse): void {
    this.#location = locationOf(response) ?? this.#location;
  }
}

function commonParts(target: UploadTarget, what: string): Pick<RegistryRequest, 'scopes' | 'what' | 'signal'> {
  return {
    scopes: pushScopes(target.repository),
    what,
    ...(target.signal === undefined ? {} : { signal: target.signal }),
  };
}

/** Registries give the right to push only together with the one to pull (threats R8). */
export function pushScopes(repository: RepositoryName): readonly Scope[] {
  return [{ repository, actions: ['pull', 'push'] }];
}

/** A Location may be relative, and may be on another host (which then gets no credentials: threats R1). */
function locationOf(response: HttpResponse): URL | undefined {
  const text = response.header('location');
  if (text === undefined || text.length > maxLocation || !URL.canParse(text, response.url.href)) return undefined;
  const url = new URL(text, response.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  // Credentials come from the user, not from headers.
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

/** How many bytes a Range header of an upload speaks of; undefined when it does not make sense. */
function offsetOf(range: string | undefined): number | undefined {
  const last = /^(?:bytes[ =])?0-([0-9]{1,15})$/.exec(range?.trim() ?? '')?.[1];
  if (last === undefined) return undefined;
  // "0-0" is written for an empty upload; one that has a single byte gets it again, and 416 tells.
  return last === '0' ? 0 : Number(last) + 1;
}

/** `404 BLOB_UPLOAD_UNKNOWN`: enough for a message. */
async function shortAnswer(response: HttpResponse): Promise<string> {
  let code: string | undefined;
  try {
    const text = (await response.bytes(64 * 1024)).toString('latin1');
    code = /"code"\s*:\s*"([A-Z_]{1,40})"/.exec(text)?.[1];
  } catch {
    // The status says it.
  }
  return code === undefined ? `${response.status}` : `${response.status} ${code}`;
}

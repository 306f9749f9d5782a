import { isBoxwrightError } from '@boxwright/errors';
import type { Digest } from '../../names/digest.ts';
import type { Chunk, OutgoingContent } from './outgoing-content.ts';
import type { BlobReceipt } from './upload.ts';
import { Setback, uploadFailed } from './upload-errors.ts';
import type { JournalEntry, UploadRecord } from './upload-journal.ts';
import { UploadSession, type UploadTarget } from './upload-session.ts';

/** What uploads to one repository have learned of it. */
export interface BodyLimits {
  /** Bytes that a request may have: lowered by 413. */
  maxBody: number;
  /** False for a registry that knows no PATCH. */
  chunks: boolean;
}

/** One blob on its way. */
export interface UploadJob {
  readonly target: UploadTarget;
  /** For messages: `blob sha256:…`. */
  readonly what: string;
  readonly content: OutgoingContent;
  /** Absent: known when all has been sent. */
  readonly digest?: Digest | undefined;
  /** The note in the journal, taken when the upload is one that can be continued. */
  readonly claim: () => JournalEntry;
  readonly limits: BodyLimits;
  /** A session that is open already. */
  readonly adopted?: URL | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** Tries in a row that may bring nothing: threats R6. */
const maxFailures = 6;
/** Commits that may be refused for bytes that changed on their way. */
const maxDamaged = 3;
/** Below this no request is made smaller: 1 MiB is what nginx lets through unless told otherwise. */
const leastBody = 1024 * 1024;

/**
 * Brings one blob to the registry: distribution-spec "Pushing blobs". Small ones by POST and PUT, larger ones in chunks by
 * PATCH; and once more whatever did not arrive (threats R7):
 *
 * - connection lost, 5xx: the upload URL is asked how far the registry is; it goes on from there
 * - 416: the same; when that says what was tried before, it starts over
 * - session gone: it starts over
 * - answer to the commit lost: HEAD of the blob
 * - 413: smaller requests
 *
 * Nothing is committed before all bytes have been checked (threats R2).
 */
export class BlobUpload {
  readonly #job: UploadJob;
  #session: UploadSession | undefined;
  #adopted: URL | undefined;
  #entry: JournalEntry | undefined;
  /** Bytes that the registry has confirmed. */
  #accepted = 0;
  /** The session comes from a journal and nothing has been asked of it yet. */
  #resuming: UploadRecord | undefined;
  #resumedAt = 0;
  /** The registry may be somewhere else than {@link #accepted} says. */
  #inDoubt = false;
  #mayBeCommitted = false;
  /** An offset that was refused with 416. */
  #refusedAt: number | undefined;
  #tries = 1;
  #failures = 0;
  /** Commits that were refused because of other bytes. */
  #damaged = 0;
  /** Farthest offset that was confirmed, also by sessions that are gone. */
  #best = 0;
  #bestAtFailure = 0;
  #sent = 0;
  #reported = 0;

  constructor(job: UploadJob) {
    this.#job = job;
    this.#adopted = job.adopted;
  }

  /** @throws BoxwrightError BLOB_MISMATCH, UPLOAD_FAILED and those of reading and sending; the signal's reason */
  async run(): Promise<BlobReceipt> {
    for (;;) {
      try {
        const receipt = await this.#attempt();
        this.#entry?.remove();
        this.#report(receipt.size);
        return receipt;
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async #attempt(): Promise<BlobReceipt> {
    const { content, digest } = this.#job;
    const { size } = content;
    if (this.#mayBeCommitted && digest !== undefined && size !== undefined) {
      if (await UploadSession.exists(this.#job.target, digest, size)) return this.#receipt(digest, size);
      this.#mayBeCommitted = false;
    }
    if (this.#session === undefined) await this.#open();
    if (this.#inDoubt) await this.#resync();
    const session = this.#session ?? (await this.#open());

    if (this.#isWhole() && digest !== undefined && size !== undefined) {
      this.#mayBeCommitted = true;
      const chunk = await content.chunk(0, Math.max(size, 1));
      await session.commit(digest, chunk === undefined ? undefined : this.#counted(chunk));
      return this.#receipt(digest, size);
    }
    for (;;) {
      const chunk = await content.chunk(this.#accepted, this.#chunkBytes(session));
      if (chunk === undefined) break;
      this.#accept(session, chunk, await session.patch(this.#counted(chunk)));
      if (this.#inDoubt) await this.#resync();
      if (this.#session === undefined) throw new Setback('lost', 'the registry has less than it confirmed');
    }
    const whole = await content.verify();
    this.#mayBeCommitted = true;
    await session.commit(whole.digest);
    return this.#receipt(whole.digest, whole.size);
  }

  /** One request with all of the content: for what is no larger than a chunk, or where there are no chunks. */
  #isWhole(): boolean {
    const { content, limits } = this.#job;
    const most = limits.chunks ? Math.min(content.chunkBytes, limits.maxBody) : limits.maxBody;
    return content.size !== undefined && content.size <= most;
  }

  #chunkBytes(session: UploadSession): number {
    return Math.max(session.minChunk, Math.min(this.#job.content.chunkBytes, this.#job.limits.maxBody));
  }

  /** The session of an earlier run, the adopted one, or a new one. */
  async #open(): Promise<UploadSession> {
    const { target, what, claim } = this.#job;
    if (!this.#isWhole() && this.#entry === undefined) {
      this.#entry = claim();
      const { found } = this.#entry;
      if (found !== undefined) {
        this.#resuming = found;
        this.#inDoubt = true;
        this.#session = new UploadSession(target, what, found.location, found.minChunk);
        return this.#session;
      }
    }
    const adopted = this.#adopted;
    this.#adopted = undefined;
    const session =
      adopted === undefined ? await UploadSession.start(target, what) : new UploadSession(target, what, adopted, 0);
    this.#session = session;
    this.#accepted = 0;
    this.#inDoubt = false;
    this.#save(session, undefined);
    return session;
  }

  /** Asks the session where it is; drops it when that is of no use. */
  async #resync(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const offset = await session.offset();
    this.#inDoubt = false;
    const resumed = this.#resuming;
    this.#resuming = undefined;
    const { size = Number.MAX_SAFE_INTEGER } = this.#job.content;
    if (offset === undefined || offset > size || offset === this.#refusedAt) return this.#drop();
    if (resumed !== undefined) {
      if (!(await this.#continues(resumed, offset))) return this.#drop();
      this.#resumedAt = offset;
    }
    this.#refusedAt = undefined;
    this.#accepted = offset;
    this.#best = Math.max(this.#best, offset);
    this.#report(offset);
  }

  /** Whether the content begins as that of the earlier run did, as far as that is known. */
  async #continues({ accepted, prefix }: UploadRecord, offset: number): Promise<boolean> {
    if (prefix === undefined || accepted === 0 || offset < accepted) return true;
    const here = await this.#job.content.prefix(accepted);
    return here === undefined || here === prefix;
  }

  #drop(): void {
    this.#session = undefined;
    this.#resuming = undefined;
    this.#refusedAt = undefined;
    this.#inDoubt = false;
    this.#accepted = 0;
    this.#resumedAt = 0;
  }

  /** @param told the offset that the registry named */
  #accept(session: UploadSession, chunk: Chunk, told: number | undefined): void {
    const end = chunk.end();
    this.#accepted = end;
    // Some registries name the range of the chunk, or nothing of sense: then the upload URL is asked.
    // "0-0", taken for nothing, may as well be one byte.
    this.#inDoubt = told !== undefined && told !== end && !(told === 0 && end === 1);
    if (this.#inDoubt) return;
    this.#refusedAt = undefined;
    this.#best = Math.max(this.#best, end);
    this.#save(session, chunk.prefix());
  }

  #save({ location, minChunk }: UploadSession, prefix: Digest | undefined): void {
    this.#entry?.save({ location, minChunk, accepted: this.#accepted, prefix });
  }

  /** Counts what is handed to the connection. */
  #counted(chunk: Chunk): Chunk {
    const { body, offset } = chunk;
    if (body instanceof Uint8Array) {
      this.#sent += body.length;
      return chunk;
    }
    return { ...chunk, body: () => this.#countedPieces(body(), offset) };
  }

  async *#countedPieces(pieces: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
    let at = offset;
    for await (const piece of pieces) {
      this.#sent += piece.length;
      at += piece.length;
      this.#report(at);
      yield piece;
    }
  }

  /** Progress goes forward only, and ends at the size. */
  #report(position: number): void {
    if (position <= this.#reported) return;
    this.#job.onBytes?.(position - this.#reported);
    this.#reported = position;
  }

  #receipt(digest: Digest, size: number): BlobReceipt {
    return { digest, size, sent: this.#sent, tries: this.#tries, resumedAt: this.#resumedAt };
  }

  /** Prepares the next attempt. @throws the error when there is none */
  async #recover(error: unknown): Promise<void> {
    const { target, content } = this.#job;
    try {
      target.signal?.throwIfAborted();
      // What was wrong with the content comes back from below as a broken connection, or not at all.
      if (content.failure !== undefined) throw content.failure.error;
      if (!(error instanceof Setback)) await this.#afterError(error);
      else if (error.kind === 'too-large') this.#makeSmaller(error);
      else if (error.kind === 'no-chunks') this.#doWithoutChunks(error);
      else await this.#afterSetback(error);
    } catch (fatal) {
      await this.#giveUp(fatal);
      throw fatal;
    }
  }

  async #afterError(error: unknown): Promise<void> {
    const { registries, signal } = this.#job.target;
    if (!registries.isTransient(error)) {
      // An URL of another day may be refused in any way.
      if (this.#resuming === undefined) throw error;
      return this.#drop();
    }
    if (!this.#countFailure(triesOf(error))) throw error;
    if (this.#isWhole()) this.#drop();
    else this.#inDoubt = this.#session !== undefined;
    await registries.pause(this.#failures, error, signal);
  }

  async #afterSetback(setback: Setback): Promise<void> {
    const { target, what } = this.#job;
    const isDamaged = setback.kind === 'damaged';
    if (isDamaged) this.#damaged++;
    if (!this.#countFailure() || this.#damaged >= maxDamaged) {
      const why = isDamaged
        ? `${this.#damaged} times, the registry found other bytes than were sent (${setback.answer})`
        : `the registry dropped it ${this.#failures} times (${setback.answer})`;
      const hint = isDamaged
        ? 'Something between here and the registry changes the bytes: try without the proxy.'
        : 'A registry with several servers needs to share upload sessions and their secret among them.';
      throw uploadFailed(target.repository, what, why, { cause: setback, hint });
    }
    if (setback.kind !== 'range' || this.#refusedAt === this.#accepted || this.#isWhole()) {
      this.#drop();
    } else {
      this.#refusedAt = this.#accepted;
      this.#inDoubt = true;
    }
    if (this.#failures > 1) await target.registries.pause(this.#failures, setback, target.signal);
  }

  #makeSmaller(setback: Setback): void {
    const { target, what, limits, content } = this.#job;
    const { minChunk } = this.#session ?? { minChunk: 0 };
    const most = limits.chunks ? content.chunkBytes : Number.MAX_SAFE_INTEGER;
    const tried = Math.min(most, limits.maxBody, content.size ?? Number.MAX_SAFE_INTEGER);
    if (tried <= Math.max(leastBody, minChunk)) {
      throw uploadFailed(
        target.repository,
        what,
        `the registry refuses a request of ${tried} bytes (${setback.answer})`,
        {
          cause: setback,
          hint: 'Raise the limit for bodies in the proxy before the registry (nginx: client_max_body_size).',
        },
      );
    }
    limits.maxBody = Math.max(leastBody, minChunk, Math.floor(tried / 2));
    this.#tries++;
    this.#mayBeCommitted = false;
    this.#inDoubt = true;
  }

  #doWithoutChunks(setback: Setback): void {
    const { target, what, limits, content } = this.#job;
    if (content.size === undefined || content.size > limits.maxBody || !limits.chunks) {
      throw uploadFailed(target.repository, what, `the registry takes no chunks (${setback.answer})`, {
        cause: setback,
        hint: 'Compress the layers before sending, so that their size is known, or use another registry.',
      });
    }
    // The session is as good as before: the whole goes there.
    limits.chunks = false;
    this.#tries++;
  }

  /**
   * @param tries what has been tried beneath, with waits between
   * @returns false when that was the last try
   */
  #countFailure(tries = 1): boolean {
    this.#tries++;
    // Starting over is no progress: only what no try has reached before is.
    this.#failures = tries + (this.#best > this.#bestAtFailure ? 0 : this.#failures);
    this.#bestAtFailure = this.#best;
    return this.#failures < maxFailures;
  }

  /** Leaves the session to another run, unless it is of no use to anybody. */
  async #giveUp(error: unknown): Promise<void> {
    const { content, target } = this.#job;
    const { registries, signal } = target;
    const unreadable = content.failure !== undefined && !isMismatch(error);
    const keep = signal?.aborted === true || unreadable || registries.isTransient(error);
    if (keep && this.#entry !== undefined && this.#session !== undefined) {
      this.#entry.release();
    } else {
      this.#entry?.remove();
      await this.#session?.cancel();
    }
  }
}

/** How often `Registries.send` has tried by itself. */
function triesOf(error: unknown): number {
  const tries = isBoxwrightError(error) ? error.details['tries'] : undefined;
  return typeof tries === 'number' ? tries : 1;
}

function isMismatch(error: unknown): boolean {
  return isBoxwrightError(error) && error.code === 'BLOB_MISMATCH';
}

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { type Digest, type DigestAlgorithm, digestFromHash } from '../names/digest.ts';
import { closeQuietly, errorCode, removeFile } from './files.ts';

/** What the bytes must turn out to be. */
export interface ExpectedContent {
  readonly digest?: Digest | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
}

/** What was written. */
export interface WrittenContent {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** How to end a blob. */
export interface CommitOptions {
  /** Fsync now instead of when a tag names it. */
  readonly durable?: boolean;
}

/** Finished bytes in a temporary file, open and not yet fsynced, to be put in place. */
export interface FinishedFile extends WrittenContent {
  readonly path: string;
  readonly fd: number;
  readonly durable: boolean;
}

/** A blob that has been written but is not in the store (yet). */
export interface SealedBlob extends WrittenContent {
  /** The temporary file with its bytes. */
  readonly path: string;
  /** Puts it in place under its digest. */
  commit(): void;
  /** Drops it. Harmless after either. */
  discard(): void;
}

/**
 * Writes one blob: hashed while written, invisible until {@link commit}, gone after {@link abort}. Synchronous, for
 * any thread. Not to be used again after either.
 */
export class BlobWriter {
  readonly #path: string;
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: ReturnType<typeof createHash>;
  readonly #adopt: (file: FinishedFile) => void;
  #fd: number | undefined;
  #size = 0;

  constructor(path: string, algorithm: DigestAlgorithm, adopt: (file: FinishedFile) => void) {
    this.#path = path;
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
    this.#adopt = adopt;
    this.#fd = openSync(path, 'wx+', 0o600);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes; they are not kept after the call. @throws BoxwrightError STORE_FULL, or the file system's error; the blob is then aborted */
  write(chunk: Uint8Array): void {
    const fd = this.#open();
    this.#hash.update(chunk);
    try {
      for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset, chunk.length - offset);
    } catch (error) {
      this.abort();
      throw namedWriteError(error, this.#path);
    }
    this.#size += chunk.length;
  }

  /**
   * Puts the blob in place under its digest, whole for every process from here on.
   *
   * @throws BoxwrightError BLOB_MISMATCH when the bytes are not the expected ones; nothing is stored then
   */
  commit(expected: ExpectedContent = {}, options: CommitOptions = {}): WrittenContent {
    const fd = this.#open();
    const written: WrittenContent = {
      digest: digestFromHash(this.#hash, this.#algorithm),
      size: this.#size,
    };
    try {
      checkExpected(written, expected);
      this.#adopt({ ...written, path: this.#path, fd, durable: options.durable ?? false });
    } catch (error) {
      throw namedWriteError(error, this.#path);
    } finally {
      this.abort();
    }
    return written;
  }

  /**
   * Ends the writing without deciding yet whether the blob is wanted; holds no descriptor open, so that there may be
   * thousands of them. Its temporary file is there until one of the two is called, or the store is closed.
   */
  seal(): SealedBlob {
    closeSync(this.#open());
    this.#fd = undefined;
    const path = this.#path;
    const content = { digest: digestFromHash(this.#hash, this.#algorithm), size: this.#size };
    return {
      ...content,
      path,
      commit: () => {
        const fd = openSync(path, 'r');
        try {
          this.#adopt({ ...content, path, fd, durable: false });
        } finally {
          closeQuietly(fd);
          removeFile(path);
        }
      },
      discard: () => {
        removeFile(path);
      },
    };
  }

  /** Drops what was written. Harmless when the blob was committed or aborted before. */
  abort(): void {
    if (this.#fd === undefined) return;
    closeQuietly(this.#fd);
    this.#fd = undefined;
    removeFile(this.#path);
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error('this blob writer has already been committed or aborted');
    return this.#fd;
  }
}

function checkExpected({ digest, size }: WrittenContent, expected: ExpectedContent): void {
  const wrongSize = expected.size !== undefined && expected.size !== size;
  if (!wrongSize && (expected.digest === undefined || expected.digest === digest)) return;
  const wanted = [expected.digest, wrongSize ? `${expected.size} bytes` : undefined].filter(
    (part) => part !== undefined,
  );
  const got = wrongSize ? `${size} bytes` : digest;
  throw new BoxwrightError('BLOB_MISMATCH', `expected ${wanted.join(' of ')}, got ${got}`, {
    hint: 'the content was damaged or exchanged on its way: fetch it again',
    details: { digest, size, expectedDigest: expected.digest, expectedSize: expected.size },
  });
}

/** A full disk is the user's to mend, so it gets words; other errors pass as they are. */
function namedWriteError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new BoxwrightError('STORE_FULL', `no space left to write ${path}`, {
    hint: '`boxwright prune` removes what no image needs; BOXWRIGHT_HOME moves the store to another disk',
    cause: error,
  });
}

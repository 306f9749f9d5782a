import type { Descriptor } from '../../documents/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../names/digest.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { Registries } from '../session/registries.ts';
import { BlobUpload, type BodyLimits } from './blob-upload.ts';
import { ContentReader } from './content-reader.ts';
import { type Chunk, DescribedContent, type OutgoingContent, streamedChunkBytes } from './outgoing-content.ts';
import { bufferedChunkBytes, StreamContent } from './stream-content.ts';
import type { BlobContent, BlobReceipt, BlobUploader } from './upload.ts';
import { noJournal, openUploadJournal, type UploadJournal } from './upload-journal.ts';
import { UploadSession, type UploadTarget } from './upload-session.ts';

/** Where to and how. */
export interface BlobUploaderOptions {
  readonly registries: Registries;
  readonly repository: RepositoryName;
  /** Where unfinished uploads are noted, so that they go on after a restart; absent: they do not. */
  readonly journalDirectory?: string | undefined;
  /** Bytes that one request takes at most, where the registry does not want more; default 32 MiB, streams 8 MiB. */
  readonly chunkBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Blobs up to this size are read before anything is sent: most configs and attestations. */
const smallBytes = 1024 * 1024;

/** Uploads to a repository. Several may run at the same time, each of another blob. */
export function createBlobUploader(options: BlobUploaderOptions): BlobUploader {
  return new Uploader(options);
}

class Uploader implements BlobUploader {
  readonly #target: UploadTarget;
  readonly #journal: UploadJournal;
  readonly #limits: BodyLimits = { maxBody: Number.MAX_SAFE_INTEGER, chunks: true };
  readonly #adopted = new Map<Digest, URL>();

  readonly #chunkBytes: number;

  constructor(options: BlobUploaderOptions) {
    const { registries, repository, journalDirectory, signal, chunkBytes = streamedChunkBytes } = options;
    this.#target = { registries, repository, signal };
    this.#chunkBytes = chunkBytes;
    this.#journal = journalDirectory === undefined ? noJournal : openUploadJournal(journalDirectory);
  }

  async upload(
    descriptor: Descriptor,
    content: BlobContent,
    onBytes?: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<BlobReceipt> {
    const target = this.#targetWith(signal);
    const { digest, size } = descriptor;
    const algorithm = content.checked === true ? undefined : digestAlgorithm(digest);
    const reader = new ContentReader(content, { algorithm, signal: target.signal });
    const adopted = this.#adopted.get(digest);
    this.#adopted.delete(digest);
    try {
      const streamed = new DescribedContent(descriptor, reader, this.#chunkBytes);
      return await new BlobUpload({
        target,
        what: `blob ${digest}`,
        content: size <= smallBytes ? await inMemory(streamed) : streamed,
        digest,
        claim: () => this.#journal.claim(this.#target.repository, digest),
        limits: this.#limits,
        adopted,
        onBytes,
      }).run();
    } finally {
      await reader.close();
    }
  }

  async uploadStream(
    key: string,
    content: BlobContent,
    onBytes?: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<BlobReceipt> {
    const target = this.#targetWith(signal);
    const reader = new ContentReader(content, { algorithm: 'sha256', signal: target.signal });
    try {
      return await new BlobUpload({
        target,
        what: 'layer',
        content: new StreamContent(reader, Math.min(bufferedChunkBytes, this.#chunkBytes)),
        claim: () => this.#journal.claim(this.#target.repository, key),
        limits: this.#limits,
        onBytes,
      }).run();
    } finally {
      await reader.close();
    }
  }

  async adopt(digest: Digest, location: URL): Promise<void> {
    const known = this.#adopted.get(digest);
    this.#adopted.set(digest, location);
    if (known !== undefined) await this.#giveBack(known);
  }

  async close(): Promise<void> {
    const unused = [...this.#adopted.values()];
    this.#adopted.clear();
    await Promise.all(unused.map((location) => this.#giveBack(location)));
  }

  /** Ends when the uploader's signal does, and this one. */
  #targetWith(signal: AbortSignal | undefined): UploadTarget {
    const own = this.#target.signal;
    if (signal === undefined || signal === own) return this.#target;
    return { ...this.#target, signal: own === undefined ? signal : AbortSignal.any([own, signal]) };
  }

  async #giveBack(location: URL): Promise<void> {
    await new UploadSession(this.#target, 'unused upload', location, 0).cancel();
  }
}

/** Reads and checks the whole of a small blob. @throws BoxwrightError BLOB_MISMATCH */
async function inMemory(content: DescribedContent): Promise<OutgoingContent> {
  const chunk = await content.chunk(0, smallBytes);
  const pieces: Buffer[] = [];
  if (chunk !== undefined && !(chunk.body instanceof Uint8Array)) {
    for await (const piece of chunk.body()) pieces.push(Buffer.from(piece));
  }
  const whole = await content.verify();
  const bytes = Buffer.concat(pieces);
  return {
    size: whole.size,
    chunkBytes: smallBytes,
    failure: undefined,
    chunk: async (offset, limit): Promise<Chunk | undefined> => {
      const body = bytes.subarray(offset, offset + limit);
      if (body.length === 0) return undefined;
      const end = offset + body.length;
      return { offset, size: body.length, body, end: () => end, prefix: () => undefined };
    },
    prefix: async (offset) => digestOf(bytes.subarray(0, offset)),
    verify: async () => whole,
  };
}

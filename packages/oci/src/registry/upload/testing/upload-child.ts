import { setTimeout as sleep } from 'node:timers/promises';
import { parseDigest } from '../../../names/digest.ts';
import { generatedBlob } from '../../testing/index.ts';
import { createBlobUploader } from '../blob-uploader.ts';
import { plainRegistries } from './plain-registries.ts';

/** What a process that uploads and may be killed is told, as JSON in its first argument. */
export interface UploadChildTask {
  readonly url: string;
  readonly repository: string;
  readonly journalDirectory: string;
  readonly size: number;
  readonly seed: number;
  readonly digest: string;
  /** Uploads it as a stream, under this key. */
  readonly key?: string;
  /** The content stops here, for ever. */
  readonly stopAt?: number;
}

const text = process.argv[2];
if (text !== undefined) {
  // Written by the test.
  const task = JSON.parse(text) as UploadChildTask;
  const { url, repository, journalDirectory, size, seed, digest, key, stopAt = size } = task;
  const registries = plainRegistries(url);
  const uploader = createBlobUploader({
    registries,
    repository: { registry: new URL(url).host, path: repository },
    journalDirectory,
  });
  const blob = generatedBlob(size, seed);
  const content = async function* (offset: number): AsyncGenerator<Uint8Array> {
    yield* blob.read(offset, stopAt);
    if (stopAt < size) await sleep(600_000);
  };
  const descriptor = { mediaType: 'application/octet-stream', digest: parseDigest(digest), size };
  const receipt =
    key === undefined ? await uploader.upload(descriptor, content) : await uploader.uploadStream(key, content);
  process.stdout.write(`${JSON.stringify(receipt)}\n`);
  registries.close();
}

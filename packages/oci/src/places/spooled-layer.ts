import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs';
import { decompress } from '../compress/decompress.ts';
import type { detectCompression } from '../compress/detect-compression.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { type Digest, digestFromHash } from '../names/digest.ts';
import { notForLayers } from '../store/layer-tar.ts';
import { namedWriteError } from './write-error.ts';

/** A layer without its compression, in a temporary file. */
export interface SpooledLayer {
  readonly diffId: Digest;
  readonly size: number;
  content(): AsyncIterable<Uint8Array>;
  /** Removes the file. */
  release(): void;
}

const pieceSize = 1024 * 1024;

/**
 * Expands a layer into a file that does not exist yet: how large it is without compression shows only at its end, and a
 * tar archive says it first.
 *
 * @throws BoxwrightError LAYER_INVALID, COMPRESSION_INVALID, COMPRESSION_LIMIT, DISK_FULL; the signal's reason
 */
export async function spoolLayer(
  path: string,
  descriptor: Descriptor,
  compression: ReturnType<typeof detectCompression>,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<SpooledLayer> {
  if (compression === 'xz' || compression === 'bzip2') throw notForLayers(descriptor, compression);
  const hash = createHash('sha256');
  let size = 0;
  const fd = openSync(path, 'wx', 0o600);
  const release = (): void => rmSync(path, { force: true });
  try {
    for await (const chunk of decompress(copied(bytes), compression, { compressedSize: descriptor.size })) {
      signal?.throwIfAborted();
      hash.update(chunk);
      for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset, chunk.length - offset);
      size += chunk.length;
    }
  } catch (error) {
    release();
    throw namedWriteError(error, path);
  } finally {
    closeSync(fd);
  }
  const content = (): AsyncIterable<Uint8Array> => createReadStream(path, { highWaterMark: pieceSize });
  return { diffId: digestFromHash(hash, 'sha256'), size, content, release };
}

/** Sources use their buffer again for each piece, while decompressors may hold on to theirs. */
async function* copied(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of bytes) yield Buffer.from(piece);
}

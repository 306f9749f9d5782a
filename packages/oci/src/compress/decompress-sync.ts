import { fstatSync, readSync } from 'node:fs';
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { requireZstd } from './compress-zstd.ts';
import { compressionInvalid, compressionUnsupported } from './compression-error.ts';
import type { CompressionKind } from './detect-compression.ts';
import { ExpansionGuard, type ExpansionLimits } from './expansion-guard.ts';
import { ZstdFrames } from './zstd-frames.ts';

const INPUT_CHUNK = 256 * 1024;
const OUTPUT_CHUNK = 256 * 1024;

/**
 * Expands an open file from its first byte, for worker threads that must not wait for events. `onChunk` gets pieces
 * that are valid only during the call. Rules and errors as {@link decompress}, less xz and bzip2
 * (COMPRESSION_UNSUPPORTED). Memory is bounded: Node has no public synchronous stream, so this drives the native handle
 * inside its zlib objects, which other libraries rely on too; a Node without it gets COMPRESSION_UNSUPPORTED.
 */
export function decompressFileSync(
  fd: number,
  kind: CompressionKind,
  onChunk: (chunk: Buffer) => void,
  limits: Partial<ExpansionLimits> = {},
): void {
  const guard = new ExpansionGuard(kind, { compressedSize: fstatSync(fd).size, ...limits });
  const expand = (chunk: Buffer) => {
    guard.expand(chunk.length);
    onChunk(chunk);
  };
  if (kind === 'none') {
    for (const chunk of chunksOf(fd)) expand(chunk);
  } else if (kind === 'gzip') {
    gunzipSync(fd, expand);
  } else if (kind === 'zstd') {
    unzstdSync(fd, expand, guard.limits.zstdWindowLog);
  } else {
    throw compressionUnsupported(kind, 'it can only be read asynchronously', 'Use decompress.');
  }
}

/** The buffer is used again for each chunk. */
function* chunksOf(fd: number): Generator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(INPUT_CHUNK);
  for (let position = 0; ; ) {
    const count = readSync(fd, buffer, 0, buffer.length, position);
    if (count === 0) return;
    position += count;
    yield buffer.subarray(0, count);
  }
}

function gunzipSync(fd: number, onChunk: (chunk: Buffer) => void): void {
  const decoder = new SyncDecoder('gzip', createGunzip({ chunkSize: 64 }), onChunk);
  try {
    let isOver = false;
    for (const chunk of chunksOf(fd)) {
      const left: number = isOver ? chunk.length : decoder.write(chunk, constants.Z_NO_FLUSH);
      // Node leaves bytes behind only after the end of the stream, and only when a zero byte comes next.
      isOver ||= left > 0;
      if (chunk.subarray(chunk.length - left).some((byte) => byte !== 0)) {
        throw compressionInvalid('gzip', 'junk follows the end of the stream');
      }
    }
    if (!isOver) decoder.write(Buffer.alloc(0), constants.Z_FINISH);
  } finally {
    decoder.close();
  }
}

function unzstdSync(fd: number, onChunk: (chunk: Buffer) => void, windowLog: number): void {
  requireZstd();
  const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
  const frames = new ZstdFrames(windowLog);
  const decoder = new SyncDecoder('zstd', createZstdDecompress({ chunkSize: 64, params }), onChunk);
  try {
    for (const chunk of chunksOf(fd)) {
      for (const piece of frames.split(chunk)) {
        const left = decoder.write(piece, constants.ZSTD_e_continue);
        if (left > 0) throw compressionInvalid('zstd', 'a frame ends before its last block');
      }
    }
    if (!frames.isComplete) throw compressionInvalid('zstd', 'it ends inside a frame');
  } finally {
    decoder.close();
  }
}

/** What is used of the native handle. */
interface NativeHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
}

/** A decoder of Node driven without events. */
class SyncDecoder {
  readonly #kind: string;
  readonly #decoder: Gunzip | ZstdDecompress;
  readonly #handle: NativeHandle;
  /** Filled by the handle: output bytes still free, input bytes still unread. */
  readonly #state: Uint32Array;
  readonly #onChunk: (chunk: Buffer) => void;
  readonly #output: Buffer = Buffer.allocUnsafeSlow(OUTPUT_CHUNK);

  constructor(kind: string, decoder: Gunzip | ZstdDecompress, onChunk: (chunk: Buffer) => void) {
    this.#kind = kind;
    this.#decoder = decoder;
    this.#onChunk = onChunk;
    // Failures are seen in `errored` right after each call; unheard they would end the process.
    decoder.on('error', () => undefined);
    const { handle, state } = internalsOf(decoder);
    this.#handle = handle;
    this.#state = state;
  }

  /** Decodes all it can of the input; the answer is how many bytes at its end were not wanted. */
  write(input: Uint8Array, flush: number): number {
    let left = input.length;
    for (;;) {
      this.#handle.writeSync(flush, input, input.length - left, left, this.#output, 0, OUTPUT_CHUNK);
      const error = this.#decoder.errored;
      if (error) throw compressionInvalid(this.#kind, error.message, error);
      const [free = 0, unread = 0] = this.#state;
      left = unread;
      if (free < OUTPUT_CHUNK) this.#onChunk(this.#output.subarray(0, OUTPUT_CHUNK - free));
      // Room left in the output means that the decoder has nothing more to say to this input.
      if (free > 0) return left;
    }
  }

  /** Frees the native memory. */
  close(): void {
    this.#decoder.destroy();
  }
}

function internalsOf(decoder: Gunzip | ZstdDecompress): { handle: NativeHandle; state: Uint32Array } {
  // The cast: these two members are not in Node's types; both are checked here.
  const { _handle: handle, _writeState: state } = decoder as unknown as {
    _handle?: NativeHandle;
    _writeState?: unknown;
  };
  if (typeof handle?.writeSync !== 'function' || !(state instanceof Uint32Array)) {
    throw compressionUnsupported('zlib', `Node ${process.version} cannot decompress synchronously`, 'Use decompress.');
  }
  return { handle, state };
}

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { ImageLayer, ImageSource, ImageStore, SparseSegment, TarEntry } from '@boxwright/oci';
import { rangesOf } from './blob-ranges.ts';
import { inflatePart } from './inflate-part.ts';
import { KeptReadings, maxKeptFile } from './kept-readings.ts';
import { expanded } from './layer-pass.ts';
import type { LayerReadingOptions, LayerReadings } from './layer-readings.ts';
import type { RestartPoint } from './restart-point.ts';
import type { RestartTable } from './restart-table.ts';

/** A regular file of a layer: a node of its index. */
export interface LayerFile {
  readonly entry: Pick<TarEntry, 'size'>;
  readonly dataOffset: number;
  readonly sparse?: readonly SparseSegment[] | undefined;
}

/** Files up to this size are checked before their first byte is given out, and read in another way if they are wrong. */
const checkedBytes = 4 * 1024 ** 2;
const pieceBytes = 1024 ** 2;

/**
 * Reads single files of layers with as little of the layer as possible: from the store's uncompressed twin; from what an
 * earlier look has kept; from the last place before the file where the blob can be entered (by Range, where the source is
 * a registry); else from the start of the blob to the end of the file. Nothing is given out as complete that does not
 * have the SHA-256 that the file had when the whole layer was read and found right.
 */
export class LayerContents {
  readonly #store: ImageStore;
  readonly #source: ImageSource;
  readonly #kept: KeptReadings;
  readonly #readings: LayerReadings;
  readonly #options: LayerReadingOptions;

  constructor(store: ImageStore, source: ImageSource, readings: LayerReadings, options: LayerReadingOptions = {}) {
    this.#store = store;
    this.#source = source;
    this.#kept = new KeptReadings(store);
    this.#readings = readings;
    this.#options = options;
  }

  /**
   * The content of a file. The last piece comes only after all bytes were found right; each is valid until the next one
   * is asked for.
   *
   * @throws BoxwrightError LAYER_INVALID when the content is not the one that the layer had; as `LayerReadings.listing`
   */
  async *read(layer: ImageLayer, file: LayerFile): AsyncGenerator<Buffer, void, undefined> {
    const { size } = file.entry;
    if (size === 0) return;
    const tarPath = this.#store.layerTarPresent(layer.diffId);
    if (tarPath !== undefined) {
      // The store checked it when it came in.
      yield* withHoles(fileRange(tarPath, file.dataOffset, storedSize(file)), file);
      return;
    }
    const { digests } = await this.#readings.listing(layer, true);
    const sha256 = digests.get(file.dataOffset);
    if (sha256 === undefined) throw mismatch(layer, this.#source, 'none');
    const kept = this.#kept.file(sha256, size);
    if (kept !== undefined) {
      yield kept;
      return;
    }
    const stored = [file.dataOffset, file.dataOffset + storedSize(file)] as const;
    if (size > checkedBytes) {
      yield* checked(withHoles(this.#region(layer, ...stored), file), sha256, layer, this.#source);
      return;
    }
    const content =
      (await wholeIfRight(withHoles(this.#region(layer, ...stored), file), size, sha256)) ??
      // A server that answered with something else, or a place to begin that was none: once more from the start.
      (await wholeIfRight(withHoles(this.#fromStart(layer, ...stored), file), size, sha256));
    if (content === undefined) throw mismatch(layer, this.#source, sha256);
    if (size <= maxKeptFile) this.#kept.keepFile(sha256, content);
    yield content;
  }

  /**
   * The contents of many files, in the order of the layer, whatever order they are given in: the layer is passed once.
   * Files without content have no pieces. Otherwise as {@link read}, except that content is not kept for later.
   */
  async *readMany<File extends LayerFile>(
    layer: ImageLayer,
    files: readonly File[],
  ): AsyncGenerator<{ readonly file: File; readonly piece: Buffer }, void, undefined> {
    const wanted = files
      .filter(({ entry }) => entry.size > 0)
      .sort((left, right) => left.dataOffset - right.dataOffset);
    for (const run of runsOf(wanted)) {
      const [first] = run;
      const last = run.at(-1);
      if (first === undefined || last === undefined) continue;
      if (run.length === 1 || this.#store.layerTarPresent(layer.diffId) !== undefined) {
        for (const file of run) for await (const piece of this.read(layer, file)) yield { file, piece };
        continue;
      }
      const { digests } = await this.#readings.listing(layer, true);
      const region = this.#region(layer, first.dataOffset, last.dataOffset + storedSize(last));
      const cursor = new Cursor(region, first.dataOffset);
      try {
        for (const file of run) {
          const sha256 = digests.get(file.dataOffset) ?? '';
          const content = withHoles(cursor.take(file.dataOffset, storedSize(file)), file);
          for await (const piece of checked(content, sha256, layer, this.#source)) yield { file, piece };
        }
      } finally {
        await cursor.close();
      }
    }
  }

  /** Bytes of the uncompressed layer by the shortest way. */
  #region(layer: ImageLayer, from: number, to: number): AsyncIterable<Buffer> {
    const table = this.#kept.restarts(layer.descriptor.digest);
    const ranges = rangesOf(this.#store, this.#source, layer.descriptor);
    if (table === undefined || ranges === undefined) return this.#fromStart(layer, from, to);
    const read = (first: number, last: number): AsyncIterable<Uint8Array> =>
      ranges.read(layer.descriptor, first, last, this.#options.signal);
    if (table.compression === 'none') return copied(read(from, to));
    if (table.compression !== 'gzip') return this.#fromStart(layer, from, to);
    const point = table.points.findLast(({ offset }) => offset <= from);
    return between(enterAt(layer, table, point, to, read), from - (point?.offset ?? 0), to - from);
  }

  #fromStart({ descriptor }: ImageLayer, from: number, to: number): AsyncIterable<Buffer> {
    const { signal } = this.#options;
    const blob = this.#source.readBlob(descriptor, signal === undefined ? {} : { signal });
    return between(expanded(blob, descriptor.size), from, to - from);
  }
}

/** Files that are read in one go: what lies between two of them is less than it takes to begin anew. */
const maxGap = 16 * 1024 ** 2;

function* runsOf<File extends LayerFile>(files: readonly File[]): Generator<File[], void, undefined> {
  let run: File[] = [];
  let end = 0;
  for (const file of files) {
    if (run.length > 0 && file.dataOffset - end > maxGap) {
      yield run;
      run = [];
    }
    run.push(file);
    end = file.dataOffset + storedSize(file);
  }
  if (run.length > 0) yield run;
}

/** Reads parts of a stream one after the other. */
class Cursor {
  readonly #iterator: AsyncIterator<Buffer>;
  #position: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>, position: number) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#position = position;
  }

  /** @param from not before the end of the last part */
  async *take(from: number, length: number): AsyncGenerator<Buffer, void, undefined> {
    const end = from + length;
    while (this.#position < end) {
      if (this.#rest.length === 0) {
        const next: IteratorResult<Buffer> = await this.#iterator.next();
        if (next.done === true) return;
        this.#rest = next.value;
      }
      const skip = Math.min(Math.max(0, from - this.#position), this.#rest.length);
      const piece = this.#rest.subarray(skip, skip + end - Math.max(from, this.#position));
      this.#position += skip + piece.length;
      this.#rest = this.#rest.subarray(skip + piece.length);
      if (piece.length > 0) yield piece;
    }
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/**
 * Uncompressed bytes of a gzip layer from a restart point (else its start) on, with no more of the blob than `to` needs:
 * whatever lies before the uncompressed offset of a later point lies before its first byte, that one included.
 */
function enterAt(
  { descriptor }: ImageLayer,
  { points }: RestartTable,
  point: RestartPoint | undefined,
  to: number,
  read: (from: number, to: number) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const end = points.find(({ offset }) => offset >= to);
  const last = end === undefined ? descriptor.size : Math.min(end.compressed + 1, descriptor.size);
  return inflatePart(point, read(point?.compressed ?? 0, last));
}

/** `length` bytes after the first `skip`; reading stops there. */
async function* between(
  source: AsyncIterable<Buffer>,
  skip: number,
  length: number,
): AsyncGenerator<Buffer, void, undefined> {
  let position = 0;
  const end = skip + length;
  for await (const piece of source) {
    const from = Math.max(0, skip - position);
    const to = Math.min(piece.length, end - position);
    if (from < to) yield piece.subarray(from, to);
    position += piece.length;
    if (position >= end) return;
  }
}

async function* copied(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of source) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

async function* fileRange(path: string, from: number, length: number): AsyncGenerator<Buffer, void, undefined> {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, length));
    for (let done = 0; done < length; ) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, length - done), from + done);
      if (count === 0) return;
      yield buffer.subarray(0, count);
      done += count;
    }
  } finally {
    closeSync(fd);
  }
}

const zeros: Buffer = Buffer.alloc(64 * 1024);

/** The runs of a sparse file where they belong, zeros between them. */
async function* withHoles(stored: AsyncIterable<Buffer>, file: LayerFile): AsyncGenerator<Buffer, void, undefined> {
  if (file.sparse === undefined) {
    yield* stored;
    return;
  }
  let position = 0;
  function* hole(to: number): Generator<Buffer, void, undefined> {
    for (; position < to; position += zeros.length) yield zeros.subarray(0, Math.min(zeros.length, to - position));
    position = to;
  }
  const segments = file.sparse.filter(({ length }) => length > 0)[Symbol.iterator]();
  let segment = segments.next();
  let used = 0;
  for await (const piece of stored) {
    for (let at = 0; at < piece.length && segment.done !== true; ) {
      const { offset, length } = segment.value;
      if (used === 0) yield* hole(offset);
      const count = Math.min(length - used, piece.length - at);
      yield piece.subarray(at, at + count);
      at += count;
      used += count;
      position += count;
      if (used < length) continue;
      segment = segments.next();
      used = 0;
    }
  }
  yield* hole(file.entry.size);
}

function storedSize({ entry, sparse }: LayerFile): number {
  return sparse === undefined ? entry.size : sparse.reduce((sum, { length }) => sum + length, 0);
}

/** The whole content when it is the right one; undefined for any other, also when it could not be expanded. */
async function wholeIfRight(source: AsyncIterable<Buffer>, size: number, sha256: string): Promise<Buffer | undefined> {
  const content = Buffer.allocUnsafe(size);
  let filled = 0;
  try {
    for await (const piece of source) {
      if (filled + piece.length > size) return undefined;
      filled += piece.copy(content, filled);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
  return filled === size && createHash('sha256').update(content).digest('hex') === sha256 ? content : undefined;
}

/** Passes on all but the last piece, and that when all of them were right. */
async function* checked(
  source: AsyncIterable<Buffer>,
  sha256: string,
  layer: ImageLayer,
  place: ImageSource,
): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  let last: Buffer | undefined;
  for await (const piece of source) {
    if (last !== undefined) yield last;
    hash.update(piece);
    last = Buffer.from(piece);
  }
  if (hash.digest('hex') !== sha256) throw mismatch(layer, place, sha256);
  if (last !== undefined) yield last;
}

/** What decoding wrong bytes throws. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return String(error.code).startsWith('Z_') || error.code === 'COMPRESSION_INVALID';
}

function mismatch({ descriptor }: ImageLayer, source: ImageSource, sha256: string): BoxwrightError {
  return new BoxwrightError(
    'LAYER_INVALID',
    `a file of layer ${descriptor.digest} of ${escapeForTerminal(source.description)} is not what it was when the layer was read`,
    { hint: 'The content was damaged or exchanged on its way: try again.', details: { sha256 } },
  );
}

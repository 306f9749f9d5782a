import { deflateSync, inflateSync } from 'node:zlib';
import type { CompressionKind } from '@boxwright/oci';
import { type RestartPoint, WINDOW_BYTES } from './restart-point.ts';

/** How a layer's blob can be entered in the middle. */
export interface RestartTable {
  readonly compression: CompressionKind;
  /** Sorted; only gzip streams have any. The start of the blob is not among them. */
  readonly points: readonly RestartPoint[];
}

const HEADER = 'boxwright-restart-points 1 ';
const kinds: readonly CompressionKind[] = ['none', 'gzip', 'zstd', 'xz', 'bzip2'];
/** Numbers in front of each window: compressed, offset, bit, length of the deflated window. */
const numbersBytes = 8 + 8 + 1 + 4;

/** Packs a table as its points are found: windows are kept small from the start. */
export class RestartWriter {
  readonly #parts: Buffer[] = [];

  add({ compressed, bit, offset, window }: RestartPoint): void {
    const packed = deflateSync(window, { level: 1 });
    const numbers = Buffer.alloc(numbersBytes);
    numbers.writeDoubleLE(compressed, 0);
    numbers.writeDoubleLE(offset, 8);
    numbers.writeUInt8(bit, 16);
    numbers.writeUInt32LE(packed.length, 17);
    this.#parts.push(numbers, packed);
  }

  /** The table as bytes that can be kept. */
  bytes(compression: CompressionKind): Buffer {
    return Buffer.concat([Buffer.from(`${HEADER}${compression}\n`), ...this.#parts]);
  }
}

/** The table that {@link RestartWriter} packed; undefined for anything else. Windows are unpacked when they are used. */
export function readRestarts(bytes: Buffer): RestartTable | undefined {
  const end = bytes.indexOf(10);
  const [header, kind] = [bytes.toString('latin1', 0, HEADER.length), bytes.toString('latin1', HEADER.length, end)];
  const compression = kinds.find((one) => one === kind);
  if (header !== HEADER || compression === undefined) return undefined;
  const points: RestartPoint[] = [];
  let at = end + 1;
  while (at < bytes.length) {
    if (at + numbersBytes > bytes.length) return undefined;
    const length = bytes.readUInt32LE(at + 17);
    const packed = bytes.subarray(at + numbersBytes, at + numbersBytes + length);
    if (packed.length !== length) return undefined;
    points.push({
      compressed: bytes.readDoubleLE(at),
      offset: bytes.readDoubleLE(at + 8),
      bit: bytes.readUInt8(at + 16),
      get window() {
        return inflateSync(packed, { maxOutputLength: WINDOW_BYTES });
      },
    });
    at += numbersBytes + length;
  }
  return { compression, points };
}

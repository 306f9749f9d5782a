import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompressionKind, decompress, decompressFileSync, type ExpansionLimits } from '../index.ts';

/** Bytes that compress somewhat and are the same each time: words with a counter, and noise in between. */
export function sampleBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = index % 64 < 48 ? 0x61 + ((index >> 6) % 23) : state >>> 24;
  }
  return bytes;
}

/** A stream of these bytes in chunks of `step`. */
export async function* streamOf(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

/** Everything a stream gives. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Expands bytes through the asynchronous path. */
export function expand(
  bytes: Uint8Array,
  kind: CompressionKind,
  limits: Partial<ExpansionLimits> = {},
  step: number = 64 * 1024,
): Promise<Buffer> {
  return collect(decompress(streamOf(bytes, step), kind, limits));
}

/** Expands bytes through the synchronous path. */
export function expandSync(bytes: Uint8Array, kind: CompressionKind, limits: Partial<ExpansionLimits> = {}): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-compress-'));
  try {
    const file = join(directory, 'data');
    writeFileSync(file, bytes);
    const fd = openSync(file, 'r');
    try {
      const chunks: Buffer[] = [];
      decompressFileSync(fd, kind, (chunk) => chunks.push(Buffer.from(chunk)), limits);
      return Buffer.concat(chunks);
    } finally {
      closeSync(fd);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createGzip } from 'node:zlib';
import { entryOf } from './made-tar.ts';
import type { MadeLayer } from './write-layout.ts';

/** A gzip layer of `count` empty files in 1000 directories, at `path`. */
export async function manyFilesLayer(path: string, count: number): Promise<MadeLayer> {
  const raw = createHash('sha256');
  const packed = createHash('sha256');
  const gzip = createGzip({ level: 1 });
  const file = createWriteStream(path);
  let size = 0;
  gzip.on('data', (chunk: Buffer) => {
    size += chunk.length;
    packed.update(chunk);
  });
  gzip.pipe(file);
  const pushed = async (bytes: Buffer): Promise<void> => {
    raw.update(bytes);
    if (!gzip.write(bytes)) await once(gzip, 'drain');
  };
  const together = 1000;
  for (let first = 0; first < count; first += together) await pushed(block(first, Math.min(together, count - first)));
  await pushed(Buffer.alloc(1024));
  gzip.end();
  await once(file, 'close');
  return {
    blob: { path, size },
    digest: `sha256:${packed.digest('hex')}`,
    diffId: `sha256:${raw.digest('hex')}`,
  };
}

const pattern: Buffer = entryOf({ path: 'd000/f0000000', content: '' });
const ZERO = 0x30;

/** Headers that differ in the digits of their paths alone, so that only the sum of those has to be made anew. */
function block(first: number, count: number): Buffer {
  const bytes = Buffer.alloc(count * pattern.length);
  const sumOfPattern = Number.parseInt(pattern.toString('latin1', 148, 154), 8);
  for (let index = 0; index < count; index++) {
    const at = index * pattern.length;
    pattern.copy(bytes, at);
    const number = first + index;
    const digits = `${String(number % 1000).padStart(3, '0')}${String(number).padStart(7, '0')}`;
    let sum = sumOfPattern;
    for (let position = 0; position < digits.length; position++) {
      const digit = digits.charCodeAt(position);
      bytes[at + (position < 3 ? 1 + position : 3 + position)] = digit;
      sum += digit - ZERO;
    }
    bytes.write(sum.toString(8).padStart(6, '0'), at + 148, 'latin1');
  }
  return bytes;
}

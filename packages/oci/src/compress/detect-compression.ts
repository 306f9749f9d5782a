/** How a stream is compressed. Layers may be `none`, `gzip` or `zstd` (OCI layer.md); ADD meets `xz` and `bzip2` too. */
export type CompressionKind = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** Bytes from the start of a stream that {@link detectCompression} wants to see. */
export const DETECTION_BYTES = 10;

const GZIP = [0x1f, 0x8b, 0x08];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const BZIP2 = [0x42, 0x5a, 0x68];
// What follows 'BZh' and the level: the magic of a block, or of the end of an empty stream.
const BZIP2_BLOCK = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const BZIP2_END = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/** Tells the compression by magic number; anything unknown is `none`. Media types and file names may lie, bytes do not. */
export function detectCompression(firstBytes: Uint8Array): CompressionKind {
  if (startsWith(firstBytes, GZIP)) return 'gzip';
  if (startsWith(firstBytes, ZSTD) || isSkippableFrame(firstBytes)) return 'zstd';
  if (startsWith(firstBytes, XZ)) return 'xz';
  // A tar may begin with a file named "BZh9": more than the three letters is needed.
  const isBzip2 = startsWith(firstBytes, BZIP2_BLOCK, 4) || startsWith(firstBytes, BZIP2_END, 4);
  return startsWith(firstBytes, BZIP2) && isBzip2 ? 'bzip2' : 'none';
}

/** RFC 8878 3.1.2: a zstd stream may begin with a frame to be skipped. */
function isSkippableFrame(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0xf0) === 0x50 && startsWith(bytes, [0x2a, 0x4d, 0x18], 1);
}

function startsWith(bytes: Uint8Array, magic: readonly number[], at = 0): boolean {
  return magic.every((byte, index) => bytes[at + index] === byte);
}

declare const byteString: unique symbol;

/**
 * Bytes kept one per UTF-16 code unit (latin1 decoding), so that names which are not UTF-8 survive, compare by byte
 * value and work as `Map` keys. Never mix with ordinary text: go through {@link toByteString} and {@link fromByteString}.
 */
export type ByteString = string & { readonly [byteString]: true };

/** Text (UTF-8 encoded) or raw bytes as a {@link ByteString}. */
export function toByteString(value: string | Uint8Array): ByteString {
  if (typeof value === 'string') {
    // Only characters from U+0080 on differ between UTF-8 and latin1. The cast is what makes the brand.
    return (isAscii(value) ? value : Buffer.from(value, 'utf8').toString('latin1')) as ByteString;
  }
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1') as ByteString;
}

/** The bytes as text for display: invalid UTF-8 becomes U+FFFD. */
export function fromByteString(value: ByteString): string {
  return isAscii(value) ? value : Buffer.from(value, 'latin1').toString('utf8');
}

/** What `fs` takes as a path: the string itself when it is ASCII (faster), else the exact bytes. */
export function toFsPath(value: ByteString): string | Buffer {
  return isAscii(value) ? value : Buffer.from(value, 'latin1');
}

function isAscii(value: string): boolean {
  return !/[\u0080-\uffff]/.test(value);
}

import { toByteString } from '../../bytes.ts';
import { TarWriter } from '../../tar/tar-writer.ts';

/** What an entry of a test archive is: content, or a link's target; a path that ends in a slash is a directory. */
export type TestEntry = string | Uint8Array | { readonly symlink: string } | { readonly hardlink: string };

/** For tests: a tar archive with these entries in this order. */
export function tarOf(entries: Iterable<readonly [path: string, entry: TestEntry]>): Buffer {
  const chunks: Buffer[] = [];
  const writer = new TarWriter((chunk) => chunks.push(Buffer.from(chunk)));
  const common = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, size: 0 };
  for (const [path, entry] of entries) {
    if (typeof entry === 'object' && 'symlink' in entry) {
      writer.writeEntry({
        ...common,
        path: toByteString(path),
        type: 'symlink',
        linkName: toByteString(entry.symlink),
      });
    } else if (typeof entry === 'object' && 'hardlink' in entry) {
      writer.writeEntry({
        ...common,
        path: toByteString(path),
        type: 'hardlink',
        linkName: toByteString(entry.hardlink),
      });
    } else if (path.endsWith('/')) {
      writer.writeEntry({ ...common, path: toByteString(path.slice(0, -1)), type: 'directory' });
    } else {
      const bytes = typeof entry === 'string' ? Buffer.from(entry) : entry;
      writer.writeEntry({ ...common, path: toByteString(path), type: 'file', size: bytes.length });
      writer.writeData(bytes);
    }
  }
  writer.finish();
  return Buffer.concat(chunks);
}

/** For tests: bytes as a stream in pieces of a size. */
export async function* inPieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

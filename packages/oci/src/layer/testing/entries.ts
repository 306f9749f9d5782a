import { type ByteString, toByteString } from '../../bytes.ts';
import type { TarEntry } from '../../tar/entry.ts';
import type { ScannedEntry } from '../../tar/scan-tar.ts';

type Attributes = Partial<Omit<TarEntry, 'path' | 'type' | 'linkName'>>;

/** Short for {@link toByteString}. */
export function bytes(text: string): ByteString {
  return toByteString(text);
}

/** A regular file entry; `size` says how much content must follow. */
export function file(path: string, attributes: Attributes = {}): TarEntry {
  return { ...common(path, 0o644), type: 'file', ...attributes };
}

/** A directory entry. */
export function directory(path: string, attributes: Attributes = {}): TarEntry {
  return { ...common(path, 0o755), type: 'directory', ...attributes };
}

/** A symlink entry. */
export function symlink(path: string, target: string, attributes: Attributes = {}): TarEntry {
  return { ...common(path, 0o777), type: 'symlink', linkName: bytes(target), ...attributes };
}

/** A hard link entry. */
export function hardlink(path: string, target: string, attributes: Attributes = {}): TarEntry {
  return { ...common(path, 0o644), type: 'hardlink', linkName: bytes(target), ...attributes };
}

/** A character device entry. */
export function charDevice(path: string, devMajor: number, devMinor: number, attributes: Attributes = {}): TarEntry {
  return { ...common(path, 0o644), type: 'char', devMajor, devMinor, ...attributes };
}

/** A FIFO entry. */
export function fifo(path: string, attributes: Attributes = {}): TarEntry {
  return { ...common(path, 0o644), type: 'fifo', ...attributes };
}

/** What scanning an archive of these entries would give, every entry with an offset of its own. */
export function scanned(entries: readonly TarEntry[]): ScannedEntry[] {
  return entries.map((entry, position) => ({ entry, dataOffset: (position + 1) * 512 }));
}

function common(path: string, mode: number): Omit<TarEntry, 'type'> {
  return { path: bytes(path), mode, uid: 0, gid: 0, size: 0, mtimeNs: 1_600_000_000_000_000_000n };
}

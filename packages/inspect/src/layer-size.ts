import type { TarEntry } from '@boxwright/oci';

/** What a layer adds to an image, counted as Docker counts it. */
export interface LayerSize {
  /** Uncompressed bytes: the sum that `docker history` and an image page show. */
  readonly bytes: number;
  /** Hard links whose target is not in the layer: Docker cannot unpack such a layer; they count 0. */
  readonly danglingHardLinks: number;
}

/**
 * Counts what Docker's overlay2 counts for a layer unpacked alone: contents of regular files (sparse ones at their
 * real size) and the text of symlinks; hard links, directories, devices and whiteouts are 0; of a path that comes
 * twice only the last counts. Linear time; memory grows with the number of paths.
 */
export function layerSize(entries: Iterable<TarEntry>): LayerSize {
  const counted = new Map<string, number>();
  const links: { readonly path: string; readonly target: string }[] = [];
  for (const entry of entries) {
    if (isWhiteout(entry.path)) continue;
    // A later entry of the same path replaces the earlier one, so that one does not count.
    counted.set(
      entry.path,
      entry.type === 'file' ? entry.size : entry.type === 'symlink' ? (entry.linkName ?? '').length : 0,
    );
    if (entry.type === 'hardlink') links.push({ path: entry.path, target: entry.linkName ?? '' });
  }
  let bytes = 0;
  for (const size of counted.values()) bytes += size;
  const danglingHardLinks = links.filter((link) => !counted.has(link.target)).length;
  return { bytes, danglingHardLinks };
}

/** OCI image-spec layer.md "Whiteouts": a last path component that starts with `.wh.`. */
function isWhiteout(path: string): boolean {
  return path.startsWith('.wh.', path.lastIndexOf('/') + 1);
}

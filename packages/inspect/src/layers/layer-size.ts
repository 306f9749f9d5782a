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
export class LayerSizeCounter {
  readonly #counted = new Map<string, number>();
  readonly #linkTargets: string[] = [];

  add(entry: TarEntry): void {
    if (isWhiteout(entry.path)) return;
    // A later entry of the same path replaces the earlier one, so that one does not count.
    const bytes = entry.type === 'file' ? entry.size : entry.type === 'symlink' ? (entry.linkName ?? '').length : 0;
    this.#counted.set(entry.path, bytes);
    if (entry.type === 'hardlink') this.#linkTargets.push(entry.linkName ?? '');
  }

  result(): LayerSize {
    let bytes = 0;
    for (const size of this.#counted.values()) bytes += size;
    return { bytes, danglingHardLinks: this.#linkTargets.filter((target) => !this.#counted.has(target)).length };
  }
}

/** As {@link LayerSizeCounter}, for entries that are at hand. */
export function layerSize(entries: Iterable<TarEntry>): LayerSize {
  const counter = new LayerSizeCounter();
  for (const entry of entries) counter.add(entry);
  return counter.result();
}

/** OCI image-spec layer.md "Whiteouts": a last path component that starts with `.wh.`. */
function isWhiteout(path: string): boolean {
  return path.startsWith('.wh.', path.lastIndexOf('/') + 1);
}

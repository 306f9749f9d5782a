import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageLayer, type ImageSource, LayerIndex, type ScannedEntry } from '@boxwright/oci';
import { type LayerPassOptions, passLayer } from '../../layers/index.ts';

/** A layer whose files lie in a directory, numbered: where they belong is decided later. */
export interface SpooledLayer {
  readonly index: LayerIndex;
  /** The file with the content of an entry, by where the content starts in the archive. */
  readonly files: ReadonlyMap<number, string>;
}

/**
 * Streams a layer of any place once. Files are written under numbers, never under names from the archive; they are to
 * be trusted only when this returns, which it does after the digests were checked.
 *
 * @throws BoxwrightError as `passLayer` and `LayerIndex`
 */
export async function spoolLayer(
  source: ImageSource,
  layer: ImageLayer,
  directory: string,
  options: Pick<LayerPassOptions, 'signal' | 'onProgress'>,
): Promise<SpooledLayer> {
  mkdirSync(directory, { recursive: true });
  const entries: ScannedEntry[] = [];
  const files = new Map<number, string>();
  let fd: number | undefined;
  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  try {
    await passLayer(source, layer, {
      ...options,
      onEntry: (scanned) => {
        close();
        entries.push(scanned);
        if (scanned.entry.type !== 'file') return;
        const file = join(directory, String(files.size));
        files.set(scanned.dataOffset, file);
        fd = openSync(file, 'wx', 0o600);
      },
      onData: (chunk) => {
        const file = fd;
        if (file === undefined) return;
        for (let written = 0; written < chunk.length; ) {
          written += writeSync(file, chunk, written, chunk.length - written);
        }
      },
    });
  } finally {
    close();
  }
  return { index: new LayerIndex('', entries), files };
}

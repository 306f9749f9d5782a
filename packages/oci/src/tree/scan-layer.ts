import { closeSync, openSync } from 'node:fs';
import { type ScanOptions, scanTar } from '../tar/scan-tar.ts';
import { LayerIndex } from './layer-index.ts';

/**
 * Indexes the uncompressed tar of a layer; only headers are read.
 *
 * @throws BoxwrightError `TAR_INVALID`, and what {@link LayerIndex} refuses
 */
export function scanLayer(tarPath: string, options: ScanOptions = {}): LayerIndex {
  const fd = openSync(tarPath, 'r');
  try {
    return new LayerIndex(tarPath, scanTar(fd, options));
  } finally {
    closeSync(fd);
  }
}

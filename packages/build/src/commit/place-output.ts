import {
  copyImage,
  type Descriptor,
  fileOutput,
  gzipLayers,
  type ImageStore,
  saveDockerArchive,
  storeSource,
  streamOutput,
  writeOciArchive,
  writeOciLayout,
} from '@boxwright/oci';
import type { BuildOutput } from '../engine/engine.ts';

/**
 * Writes the image as an OCI layout (directory or tar, layers compressed with gzip on the way out) or as a docker-archive
 * (plain layers). `-` is standard output.
 */
export async function exportToPlace(
  store: ImageStore,
  manifest: Descriptor,
  output: Extract<BuildOutput, { type: 'oci' | 'docker' }>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const image = { descriptor: manifest, names };
  const archive = (): ReturnType<typeof fileOutput> =>
    output.dest === '-' ? streamOutput(process.stdout) : fileOutput(output.dest);
  if (output.type === 'docker') return saveDockerArchive(store, [image], archive(), { signal });
  const destination = output.tar ? writeOciArchive(archive()) : writeOciLayout(output.dest);
  try {
    await copyImage(storeSource(store), image, destination, { signal, encodeLayer: gzipLayers(store) });
    await destination.finish();
  } catch (error) {
    await destination.abort();
    throw error;
  }
}

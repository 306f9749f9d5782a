import type { ImageStore } from '../store/store.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { type DockerArchiveOptions, saveDockerArchive } from './docker-archive-writer.ts';
import type { ImageDestination } from './place.ts';
import { stagedDestination } from './staged-destination.ts';

/**
 * A docker-archive to copy to. Its layers are plain and its names come last, so images go through the store; see
 * {@link saveDockerArchive}.
 */
export function dockerArchiveDestination(
  store: ImageStore,
  output: ArchiveOutput,
  options: DockerArchiveOptions = {},
): ImageDestination {
  return stagedDestination(store, {
    description: `docker-archive ${output.description}`,
    write: (images) => saveDockerArchive(store, images, output, options),
    drop: () => output.abort(),
  });
}

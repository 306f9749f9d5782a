import type { Descriptor } from '../documents/descriptor.ts';
import { digestAlgorithm, digestHex, parseDigest } from '../names/digest.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { LAYOUT_FILE } from './layout-index.ts';
import { layoutIndex } from './oci-layout-writer.ts';
import type { ImageDestination, PlacedImage } from './place.ts';
import { TarFile } from './tar-file.ts';

/** An OCI layout as a tar stream: blobs as they come, `index.json` last. */
export function writeOciArchive(output: ArchiveOutput): ImageDestination {
  const tar = new TarFile(output);
  const placed: PlacedImage[] = [];
  const add = (descriptor: Descriptor, bytes: Buffer): void => {
    if (!tar.has(nameOf(descriptor))) tar.add(nameOf(descriptor), bytes);
  };
  tar.addDirectory('blobs');
  tar.addDirectory('blobs/sha256');
  return {
    description: `OCI archive ${output.description}`,
    takesPartialIndexes: true,
    has: async (descriptor) => tar.has(nameOf(descriptor)),
    writeBlob: (descriptor, content, onBytes) => tar.addBlob(nameOf(descriptor), descriptor, content(0), onBytes),
    writeManifest: async (descriptor, bytes) => add(descriptor, bytes),
    place: async (image, bytes) => {
      add(image.descriptor, bytes);
      placed.push(image);
    },
    finish: async () => {
      tar.add('index.json', layoutIndex(placed));
      tar.add('oci-layout', Buffer.from(LAYOUT_FILE));
      await tar.finish();
    },
    abort: () => output.abort(),
    concurrency: 1,
  };
}

function nameOf({ digest }: Descriptor): string {
  parseDigest(digest);
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

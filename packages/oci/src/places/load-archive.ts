import { BoxwrightError } from '@boxwright/errors';
import { copyImage } from '../copy/copy-image.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import type { Digest } from '../names/digest.ts';
import type { ImageStore } from '../store/store.ts';
import { type ArchiveContents, type ArchivedFile, readArchive } from './archive-contents.ts';
import type { ArchiveInput } from './archive-input.ts';
import { type DockerArchiveImage, loadDockerImage, readDockerManifest } from './docker-archive-reader.ts';
import { checkLayoutFile, chooseImage, type ImageChoice, imagesIn, readLayoutIndex } from './layout-index.ts';
import type { ImageDestination, ImageSource, PlacedImage } from './place.ts';

/** How to load. */
export interface LoadOptions {
  /** Only this image of the archive; default: all of them. */
  readonly choice?: ImageChoice | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings the images of an archive into the store: what `docker save` (old and new), skopeo, umoci, podman, buildx and
 * this program write, OCI or docker-archive, also compressed as a whole. OCI images keep every digest; of
 * docker-archives, which have no manifests, the image ID stays. Nothing is tagged: the names are in the answer.
 *
 * @throws BoxwrightError ARCHIVE_INVALID and many others; content that was read before stays until the next `gc`
 */
export async function loadArchive(
  store: ImageStore,
  input: ArchiveInput,
  options: LoadOptions = {},
): Promise<PlacedImage[]> {
  const contents = await readArchive(store, input, options.signal);
  try {
    const docker = readDockerManifest(contents);
    const oci = await loadLayout(store, contents, docker ?? [], options);
    if (oci !== undefined) return oci;
    if (docker !== undefined) return await loadDocker(store, contents, docker, options);
    throw unknownArchive(contents);
  } finally {
    contents.discard();
  }
}

/** The images of the archive as an OCI layout, or undefined when it is none, or not wholly and is a docker-archive too. */
async function loadLayout(
  store: ImageStore,
  contents: ArchiveContents,
  docker: readonly DockerArchiveImage[],
  { choice, signal }: LoadOptions,
): Promise<PlacedImage[] | undefined> {
  const indexBytes = contents.file('index.json')?.read(documentLimits.manifestBytes);
  if (indexBytes === undefined) return undefined;
  const layoutFile = contents.file('oci-layout')?.read(4096);
  if (layoutFile !== undefined) checkLayoutFile(layoutFile, contents.description);
  const all = imagesIn(readLayoutIndex(indexBytes));
  const wanted = choice === undefined ? all : [chooseImage(all, choice, contents.description)];
  const source = archiveSource(contents);
  const loaded: PlacedImage[] = [];
  try {
    for (const image of wanted) await copyImage(source, image, committing(store, contents, loaded), { signal });
  } catch (error) {
    // Engines of the transition wrote an index.json whose images are only there by way of manifest.json.
    if (docker.length > 0 && error instanceof BoxwrightError && error.code === 'BLOB_MISSING') return undefined;
    throw error;
  }
  return loaded.map((image) => withDockerNames(store, image, contents, docker));
}

async function loadDocker(
  store: ImageStore,
  contents: ArchiveContents,
  images: readonly DockerArchiveImage[],
  { choice, signal }: LoadOptions,
): Promise<PlacedImage[]> {
  const loaded: PlacedImage[] = [];
  for (const image of images) loaded.push(await loadDockerImage(store, contents, image, signal));
  return choice === undefined ? loaded : [chooseImage(loaded, choice, contents.description)];
}

/** Docker writes names into `manifest.json` that the index may lack. */
function withDockerNames(
  store: ImageStore,
  image: PlacedImage,
  contents: ArchiveContents,
  docker: readonly DockerArchiveImage[],
): PlacedImage {
  if (docker.length === 0 || image.names.length > 0) return image;
  const configs = configsOf(store, image.descriptor);
  const names = docker
    .filter(({ config }) => configs.has(contents.file(config)?.digest))
    .flatMap((entry) => entry.names);
  return { ...image, names: [...new Set(names)] };
}

/** Digests of the configs of an image, when it is one for this platform. */
function configsOf(store: ImageStore, descriptor: Descriptor): Set<Digest | undefined> {
  try {
    return new Set([store.image(descriptor).manifest().config.digest]);
  } catch {
    return new Set();
  }
}

function required(contents: ArchiveContents, { digest }: Descriptor): ArchivedFile {
  const file = contents.blob(digest);
  if (file !== undefined) return file;
  throw new BoxwrightError('BLOB_MISSING', `${contents.description} lacks the blob ${digest}`, {
    hint: 'the archive is incomplete: make it again',
    details: { digest },
  });
}

function archiveSource(contents: ArchiveContents): ImageSource {
  return {
    description: contents.description,
    has: async ({ digest }) => contents.blob(digest) !== undefined,
    readDocument: async (descriptor) => {
      const bytes = required(contents, descriptor).read(documentLimits.configBytes);
      verifyBytes(bytes, descriptor);
      return bytes;
    },
    // Never asked for: the destination takes the file as it lies there.
    readBlob: () => nothing(),
  };
}

/** Content is already on the store's disk, under its checked digest: it only has to be committed. */
function committing(store: ImageStore, contents: ArchiveContents, loaded: PlacedImage[]): ImageDestination {
  const commit = (descriptor: Descriptor): void => {
    const file = required(contents, descriptor);
    if (file.size !== descriptor.size) {
      throw new BoxwrightError(
        'BLOB_MISMATCH',
        `${descriptor.digest} has ${file.size} bytes in ${contents.description}, its descriptor says ${descriptor.size}`,
      );
    }
    file.commit();
  };
  return {
    description: `image store ${store.root}`,
    takesPartialIndexes: true,
    has: async ({ digest, size }) => contents.blob(digest) === undefined && store.blobSize(digest) === size,
    writeBlob: async (descriptor) => {
      commit(descriptor);
      return undefined;
    },
    writeManifest: async (descriptor) => commit(descriptor),
    place: async (image) => {
      commit(image.descriptor);
      loaded.push(image);
    },
    finish: async () => undefined,
    abort: async () => undefined,
    concurrency: 1,
  };
}

// biome-ignore lint/correctness/useYield: an empty iteration
async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

function unknownArchive(contents: ArchiveContents): BoxwrightError {
  if (contents.file('repositories') !== undefined || contents.file('oci-layout') !== undefined) {
    return new BoxwrightError(
      'ARCHIVE_INVALID',
      `${contents.description} has neither a manifest.json nor an index.json`,
    );
  }
  return new BoxwrightError(
    'ARCHIVE_INVALID',
    `${contents.description} is not an image archive: it has neither an index.json nor a manifest.json`,
    {
      hint: 'for the tar of a root file system there is `boxwright import`',
    },
  );
}

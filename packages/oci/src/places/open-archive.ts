import { readImage } from '../copy/read-image.ts';
import { mayBeAbsent } from '../copy/transfer.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { parseManifestOrIndex } from '../documents/manifest.ts';
import { type Digest, digestOf } from '../names/digest.ts';
import { dockerArchive } from './docker-archive.ts';
import { type DockerArchiveImage, readDockerManifest } from './docker-archive-reader.ts';
import type { ImageArchive } from './image-archive.ts';
import { namedImage } from './layout-index.ts';
import { ociArchive } from './oci-archive.ts';
import type { ImageSource, PlacedImage } from './place.ts';
import { openTarMembers, type TarMembers } from './tar-members.ts';

/**
 * Opens an image archive without unpacking it, OCI or docker-archive: only the headers and documents are read, content
 * when it is asked for. What is both (`docker save` since version 25) is taken as OCI, which keeps its digests, with the
 * names of both. Undefined for what cannot be read in any order (a pipe, a compressed archive, compressed layers in a
 * docker-archive) or is no image archive: those are for `loadArchive`.
 *
 * @throws BoxwrightError TAR_INVALID, ARCHIVE_INVALID, LAYOUT_INVALID, what reading documents throws, and the file
 *   system's errors
 */
export async function openArchive(path: string): Promise<ImageArchive | undefined> {
  const members = openTarMembers(path);
  if (members === undefined) return undefined;
  let archive: ImageArchive | undefined;
  try {
    archive = await archiveOf(members);
  } finally {
    if (archive === undefined) members.close();
  }
  return archive;
}

async function archiveOf(members: TarMembers): Promise<ImageArchive | undefined> {
  const rows = readDockerManifest(members);
  const layout = ociArchive(members);
  if (rows === undefined) return layout;
  if (layout === undefined) {
    // With an index.json alone it is a layout for whoever is lenient, as loadArchive is.
    return members.file('index.json') === undefined ? dockerArchive(members, rows) : undefined;
  }
  // Engines of the transition wrote an index.json whose images are only there by way of manifest.json.
  for (const { descriptor } of layout.images) {
    if (!(await isComplete(layout, descriptor, 0))) return dockerArchive(members, rows);
  }
  return await withDockerNames(layout, members, rows);
}

/** False when something is missing that a copy would want: of an index, all images may be but one. */
async function isComplete(source: ImageSource, descriptor: Descriptor, depth: number): Promise<boolean> {
  if (!(await source.has(descriptor))) return false;
  // Whatever is wrong with it is said by whoever reads it.
  if (descriptor.size > documentLimits.manifestBytes || depth > documentLimits.indexDepth) return true;
  const document = parseManifestOrIndex(await source.readDocument(descriptor), { mediaType: descriptor.mediaType });
  if (document.kind === 'manifest') {
    for (const blob of [document.config, ...document.layers]) {
      if (!mayBeAbsent(blob) && !(await source.has(blob))) return false;
    }
    return true;
  }
  let present = 0;
  for (const entry of document.manifests) {
    if (!(await source.has(entry))) continue;
    if (!(await isComplete(source, entry, depth + 1))) return false;
    present++;
  }
  return present > 0;
}

/** Docker writes names into `manifest.json` that the index may lack. */
async function withDockerNames(
  layout: ImageArchive,
  members: TarMembers,
  rows: readonly DockerArchiveImage[],
): Promise<ImageArchive> {
  if (layout.images.every(({ names }) => names.length > 0)) return layout;
  const namesOf = new Map<Digest, Set<string>>();
  for (const { config, names } of rows) {
    const bytes = members.file(config)?.read(documentLimits.configBytes);
    if (bytes === undefined) continue;
    const digest = digestOf(bytes);
    namesOf.set(digest, new Set([...(namesOf.get(digest) ?? []), ...names]));
  }
  const images: PlacedImage[] = [];
  for (const image of layout.images) {
    const config = image.names.length > 0 ? undefined : await configOf(layout, image.descriptor);
    const names = config === undefined ? undefined : namesOf.get(config);
    images.push(names === undefined ? image : { ...image, names: [...names] });
  }
  return { ...layout, images, resolve: async (name) => namedImage(images, name)?.descriptor };
}

/** Digest of the config of an image, when it is one for this platform. */
async function configOf(source: ImageSource, descriptor: Descriptor): Promise<Digest | undefined> {
  try {
    return (await readImage(source, descriptor)).manifest.config.digest;
  } catch {
    return undefined;
  }
}

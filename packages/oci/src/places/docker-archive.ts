import { type Descriptor, descriptorOf, verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../documents/media-types.ts';
import { serializeManifest } from '../documents/serialize.ts';
import type { Digest } from '../names/digest.ts';
import { type DockerArchiveImage, layersOfDockerImage, requiredFile } from './docker-archive-reader.ts';
import { type ImageArchive, memberContent } from './image-archive.ts';
import { namedImage } from './layout-index.ts';
import type { PlacedImage } from './place.ts';
import { isPlain, type TarMember, type TarMembers } from './tar-members.ts';

/**
 * The images of a docker-archive, read where they lie. Manifests, which such archives do not have, are made as
 * `loadDockerImage` makes them. Undefined when a layer is compressed: what it expands to has to be checked first.
 *
 * @throws BoxwrightError ARCHIVE_INVALID (a named file is missing), and what reading a config throws
 */
export function dockerArchive(members: TarMembers, rows: readonly DockerArchiveImage[]): ImageArchive | undefined {
  const description = `docker-archive ${members.description}`;
  const blobs = new Map<Digest, TarMember>();
  // Written anew whenever they are read: an archive may name one config very often.
  const rowOfManifest = new Map<Digest, DockerArchiveImage>();
  const images: PlacedImage[] = [];
  for (const row of rows) {
    const parts = partsOf(members, row);
    if (!parts.layers.every(({ member }) => isPlain(members.fd, member.start, member.size))) return undefined;
    for (const { descriptor, member } of [parts.config, ...parts.layers]) blobs.set(descriptor.digest, member);
    const descriptor = descriptorOf(manifestOf(parts), OCI_MANIFEST);
    rowOfManifest.set(descriptor.digest, row);
    images.push({ descriptor, names: row.names });
  }
  const content = memberContent(members, description, ({ digest }) => blobs.get(digest));
  return {
    description,
    images,
    ...content,
    has: async (descriptor) => rowOfManifest.has(descriptor.digest) || (await content.has(descriptor)),
    readDocument: async (descriptor) => {
      const row = rowOfManifest.get(descriptor.digest);
      if (row === undefined) return await content.readDocument(descriptor);
      const bytes = manifestOf(partsOf(members, row));
      verifyBytes(bytes, descriptor);
      return bytes;
    },
    resolve: async (name) => namedImage(images, name)?.descriptor,
    close: () => members.close(),
  };
}

interface ArchivedPart {
  readonly descriptor: Descriptor;
  readonly member: TarMember;
}

interface ArchivedParts {
  readonly config: ArchivedPart;
  readonly layers: readonly ArchivedPart[];
}

function partsOf(members: TarMembers, row: DockerArchiveImage): ArchivedParts {
  const configFile = requiredFile(members, row.config, 'config');
  const configBytes = configFile.read(documentLimits.configBytes);
  const layers = layersOfDockerImage(members, row, configBytes).map(({ file, diffId }): ArchivedPart => {
    return { descriptor: { mediaType: OCI_LAYER, digest: diffId, size: file.size }, member: file };
  });
  return { config: { descriptor: descriptorOf(configBytes, OCI_CONFIG), member: configFile }, layers };
}

function manifestOf({ config, layers }: ArchivedParts): Buffer {
  return serializeManifest({ config: config.descriptor, layers: layers.map(({ descriptor }) => descriptor) });
}

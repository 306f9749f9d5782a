import type { Descriptor } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { digestAlgorithm, digestHex, parseDigest } from '../names/digest.ts';
import { type ImageArchive, memberContent } from './image-archive.ts';
import { checkLayoutFile, imagesIn, namedImage, readLayoutIndex } from './layout-index.ts';
import { layoutReferrers } from './layout-referrers.ts';
import type { TarMembers } from './tar-members.ts';

const layoutFileLimit = 4096;

/**
 * The images of an archive as an OCI image layout (OCI image-spec image-layout.md), what `index.json` names; undefined
 * when it is none.
 *
 * @throws BoxwrightError LAYOUT_INVALID, and what reading an index throws
 */
export function ociArchive(members: TarMembers): ImageArchive | undefined {
  const index = members.file('index.json')?.read(documentLimits.manifestBytes);
  const layoutFile = members.file('oci-layout')?.read(layoutFileLimit);
  if (index === undefined || layoutFile === undefined) return undefined;
  checkLayoutFile(layoutFile, members.description);
  const description = `OCI archive ${members.description}`;
  const images = imagesIn(readLayoutIndex(index));
  const content = memberContent(members, description, (descriptor) => members.file(memberName(descriptor)));
  return {
    description,
    images,
    ...content,
    resolve: async (name) => namedImage(images, name)?.descriptor,
    referrers: layoutReferrers(images, content),
    close: () => members.close(),
  };
}

function memberName({ digest }: Descriptor): string {
  parseDigest(digest);
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

import { parseManifestOrIndex } from '../../documents/manifest.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { Registries } from '../session/registries.ts';
import { readBlob } from './blob-reader.ts';
import { blobSize, cancelUpload, deleteBlob, fetchBlob, mountBlob } from './blobs.ts';
import { newContext } from './context.ts';
import { deleteManifest, deleteTag } from './deletes.ts';
import { listTags } from './lists.ts';
import { fetchManifest, resolveManifest } from './manifests.ts';
import { addToFallbackList, listReferrers } from './referrers.ts';
import type { Repository } from './repository.ts';
import { sendManifest } from './send-manifest.ts';

/** A repository of a registry. Opening asks for nothing yet. */
export function openRepository(registries: Registries, name: RepositoryName): Repository {
  const context = newContext(registries, name);
  return {
    name,
    registries,
    resolve: async (reference, options) => await resolveManifest(context, reference, options),
    manifest: async (reference, options) => await fetchManifest(context, reference, options),
    putManifest: async (reference, bytes, mediaType, options) => {
      const document = parseManifestOrIndex(bytes, { mediaType });
      const { descriptor, listsSubject } = await sendManifest(context, reference, bytes, mediaType, options);
      if (document.subject !== undefined && !listsSubject) {
        await addToFallbackList(context, document, descriptor, options);
      }
      return descriptor;
    },
    deleteManifest: async (digest, options) => await deleteManifest(context, digest, options),
    deleteTag: async (tag, options) => await deleteTag(context, tag, options),
    blobSize: async (digest, options) => await blobSize(context, digest, options),
    blob: async (descriptor, options) => await fetchBlob(context, descriptor, options),
    readBlob: (descriptor, options) => readBlob(context, descriptor, options),
    deleteBlob: async (digest, options) => await deleteBlob(context, digest, options),
    mountBlob: async (digest, from, options) => await mountBlob(context, digest, from, options),
    cancelUpload: async (location, options) => await cancelUpload(context, location, options),
    tags: (options) => listTags(context, options),
    referrers: async (subject, options) => await listReferrers(context, subject, options),
  };
}

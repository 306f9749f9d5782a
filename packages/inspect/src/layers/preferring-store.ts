import { type ImageSource, type ImageStore, storeSource } from '@boxwright/oci';

/** The same place, but blobs that the store has come from there: layers are shared by many images. */
export function preferringStore(store: ImageStore, source: ImageSource): ImageSource {
  const here = storeSource(store);
  return {
    ...source,
    readBlob: (descriptor, options) =>
      store.blobSize(descriptor.digest) === descriptor.size
        ? here.readBlob(descriptor, options)
        : source.readBlob(descriptor, options),
  };
}

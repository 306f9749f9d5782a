import type { Descriptor } from '../../documents/descriptor.ts';
import type { Digest } from '../../names/digest.ts';
import type { ImageStore } from '../store.ts';

/** For tests: a one-layer image whose layer holds `content` (not a real tar), written to the store but not tagged. */
export function putExampleImage(store: ImageStore, content: string | Uint8Array): Descriptor {
  const layer = putBlob(store, content);
  const config = putBlob(
    store,
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
      history: [{ created_by: 'test' }],
    }),
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = putBlob(
    store,
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    }),
  );
  return { mediaType, ...manifest };
}

/** For tests: a blob of some bytes. */
export function putBlob(
  store: ImageStore,
  content: string | Uint8Array,
): { readonly digest: Digest; readonly size: number } {
  const blob = store.createBlob();
  blob.write(typeof content === 'string' ? Buffer.from(content) : content);
  return blob.commit();
}

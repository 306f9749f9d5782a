import type { CacheValue, Digest, ImageLayer, ImageStore } from '@boxwright/oci';
import type { LayerReadings } from '../layers/index.ts';
import { type SecretFile, SecretFileFinder } from './secret-files.ts';
import { isSecretKind } from './secret-kind.ts';

/** Files of well-known secrets in a layer, if an earlier look has found out. */
export function knownSecretFiles(store: ImageStore, { diffId }: ImageLayer): readonly SecretFile[] | undefined {
  return filesOf(store.cache.get(keyOf(diffId))?.value);
}

/**
 * Files of well-known secrets in a layer, by name. What was found is kept in the store, so that the layer is not needed
 * again; afterwards its facts are known, too.
 *
 * @throws BoxwrightError as `LayerReadings.entries`
 */
export async function findSecretFiles(
  store: ImageStore,
  readings: LayerReadings,
  layer: ImageLayer,
): Promise<readonly SecretFile[]> {
  const finder = new SecretFileFinder();
  await readings.entries(layer, ({ entry }) => finder.add(entry));
  const { files } = finder;
  const value: CacheValue = { files: files.map(({ kind, path }) => ({ kind, path })) };
  store.cache.put(keyOf(layer.diffId), value, { blobs: [] });
  return files;
}

function keyOf(diffId: Digest): string {
  return `layer-secret-files 1 ${diffId}`;
}

/** The record as it was kept; undefined for anything else. */
function filesOf(value: CacheValue | undefined): readonly SecretFile[] | undefined {
  const files = isRecord(value) ? value['files'] : undefined;
  if (!Array.isArray(files)) return undefined;
  const read = files.flatMap((file: unknown): SecretFile[] => {
    if (!isRecord(file)) return [];
    const { kind, path } = file;
    return typeof kind === 'string' && isSecretKind(kind) && typeof path === 'string' ? [{ kind, path }] : [];
  });
  return read.length === files.length ? read : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

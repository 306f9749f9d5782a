import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { buildImageConfig, type ImageConfigChanges } from '../documents/build-image-config.ts';
import { type Descriptor, descriptorOf } from '../documents/descriptor.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../documents/media-types.ts';
import { serializeManifest } from '../documents/serialize.ts';
import { hostPlatform, type Platform } from '../names/platform.ts';
import type { WrittenContent } from '../store/blob-writer.ts';
import type { ImageStore } from '../store/store.ts';
import { TarReader } from '../tar/tar-reader.ts';
import { type ArchiveInput, archiveBytes, describeInput } from './archive-input.ts';

/** What the image of a root file system says beside its files. */
export interface ImportOptions {
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
  /** Members of the config: `Cmd`, `Env`, ... */
  readonly config?: ImageConfigChanges['config'];
  readonly author?: string | undefined;
  /** Comment of the history row. Default: `Imported from -`, what `docker import` writes. */
  readonly message?: string | undefined;
  /** Default: now. */
  readonly created?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes an image of one layer from the tar of a root file system, plain or compressed (gzip, zstd; xz, bzip2 where the
 * programs are). The layer is the decompressed tar byte for byte. Not tagged.
 *
 * @throws BoxwrightError TAR_INVALID, ARCHIVE_INVALID (no entry at all), COMPRESSION_INVALID; the signal's reason
 */
export async function importRootfs(
  store: ImageStore,
  input: ArchiveInput,
  options: ImportOptions = {},
): Promise<Descriptor> {
  const layer = await storeTar(store, input, options.signal);
  const created = goTime(options.created ?? new Date());
  const config = buildImageConfig({
    ...(options.platform ?? hostPlatform()),
    author: options.author,
    created,
    config: options.config,
    rootfs: { diffIds: [layer.digest] },
    history: [{ created, comment: options.message ?? 'Imported from -' }],
  });
  const manifest = serializeManifest({
    config: descriptorOf(config, OCI_CONFIG),
    layers: [{ mediaType: OCI_LAYER, ...layer }],
  });
  for (const bytes of [config, manifest]) {
    const writer = store.createBlob();
    writer.write(bytes);
    writer.commit();
  }
  return descriptorOf(manifest, OCI_MANIFEST);
}

/** RFC 3339 without trailing zeros, as Go prints times. */
function goTime(time: Date): string {
  return time.toISOString().replace(/\.?0+Z$/, 'Z');
}

async function storeTar(
  store: ImageStore,
  input: ArchiveInput,
  signal: AbortSignal | undefined,
): Promise<WrittenContent> {
  let entries = 0;
  const reader = new TarReader({
    entry: () => {
      entries++;
    },
  });
  const writer = store.createBlob();
  try {
    for await (const piece of archiveBytes(input, signal)) {
      reader.push(piece);
      writer.write(piece);
    }
    reader.end();
    if (entries === 0) {
      throw new BoxwrightError(
        'ARCHIVE_INVALID',
        `${escapeForTerminal(describeInput(input))} is an empty archive: no file in it`,
        {
          hint: 'make it of a root file system, for example with `tar -C ROOT -c .`',
        },
      );
    }
  } catch (error) {
    writer.abort();
    throw error;
  }
  const { digest, size } = writer.commit();
  return { digest, size };
}

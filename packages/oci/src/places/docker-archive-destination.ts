import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { detectCompression } from '../compress/detect-compression.ts';
import { type Descriptor, verifyBytes } from '../documents/descriptor.ts';
import { documentLimits } from '../documents/limits.ts';
import { type ImageManifest, parseManifest } from '../documents/manifest.ts';
import { isImageConfigType, isLayerType } from '../documents/media-types.ts';
import { parseImageConfig } from '../documents/parse-image-config.ts';
import { type Digest, digestAlgorithm } from '../names/digest.ts';
import type { BlobContent } from '../registry/upload/upload.ts';
import { chain, firstBytes } from './archive-input.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { configFile, DockerArchiveIndex, layerFile } from './docker-archive-index.ts';
import type { ImageDestination, PlacedImage } from './place.ts';
import { spoolLayer } from './spooled-layer.ts';
import { TarFile } from './tar-file.ts';

/** What a docker-archive needs while it is written. */
export interface DockerArchiveDestinationOptions {
  /** Path of a temporary file that does not exist yet, for a compressed layer; it is removed again. */
  readonly temporaryPath: () => string;
  readonly signal?: AbortSignal | undefined;
}

/** Old Docker clients pushed configs under this type. */
const untypedConfig = 'application/octet-stream';

/**
 * A docker-archive to copy to, as `saveDockerArchive` writes it, byte for byte. Layers are plain in it and each file's
 * size comes before its bytes: plain layers are written as they come, compressed ones are expanded into a temporary file
 * first, one at a time. `place` throws IMAGE_INVALID, BLOB_MISSING or LAYER_INVALID when the layers are not those of
 * the config.
 */
export function dockerArchiveDestination(
  output: ArchiveOutput,
  options: DockerArchiveDestinationOptions,
): ImageDestination {
  const archive = new DockerArchive(output, options);
  return {
    description: `docker-archive ${output.description}`,
    takesPartialIndexes: true,
    takesOneImage: true,
    has: async ({ digest }) => archive.has(digest),
    writeBlob: async (descriptor, content, onBytes, signal) => {
      const count = onBytes ?? (() => undefined);
      if (isLayerType(descriptor.mediaType)) await archive.addLayer(descriptor, content, count, signal);
      else await archive.keepConfig(descriptor, content(0, signal), count);
      return undefined;
    },
    writeManifest: async ({ mediaType }) => {
      throw notAnImage(mediaType);
    },
    place: async (image, bytes) => archive.addImage(image, bytes),
    finish: () => archive.finish(),
    abort: () => output.abort(),
    concurrency: 1,
  };
}

class DockerArchive {
  readonly #output: ArchiveOutput;
  readonly #options: DockerArchiveDestinationOptions;
  readonly #tar: TarFile;
  readonly #index = new DockerArchiveIndex();
  /** What the layers in the archive are without compression, by the digest that they came with. */
  readonly #diffIds = new Map<Digest, Digest>();
  readonly #configs = new Map<Digest, Buffer>();

  constructor(output: ArchiveOutput, options: DockerArchiveDestinationOptions) {
    this.#output = output;
    this.#options = options;
    this.#tar = new TarFile(output);
  }

  has(digest: Digest): boolean {
    return this.#diffIds.has(digest) || this.#configs.has(digest);
  }

  async addLayer(
    descriptor: Descriptor,
    content: BlobContent,
    onBytes: (count: number) => void,
    signal: AbortSignal | undefined = this.#options.signal,
  ): Promise<void> {
    const iterator = content(0, signal)[Symbol.asyncIterator]();
    try {
      // What it is called says less than what it begins with.
      const start = await firstBytes(iterator);
      const compression = detectCompression(start);
      const bytes = counted(chain(start, iterator), onBytes);
      if (compression === 'none' && digestAlgorithm(descriptor.digest) === 'sha256') {
        const name = layerFile(descriptor.digest);
        if (!this.#tar.has(name)) await this.#tar.addBlob(name, descriptor, bytes);
        this.#diffIds.set(descriptor.digest, descriptor.digest);
        return;
      }
      const layer = await spoolLayer(this.#options.temporaryPath(), descriptor, compression, bytes, signal);
      try {
        const { diffId, size } = layer;
        const name = layerFile(diffId);
        if (!this.#tar.has(name))
          await this.#tar.addBlob(name, { ...descriptor, digest: diffId, size }, layer.content());
        this.#diffIds.set(descriptor.digest, diffId);
      } finally {
        layer.release();
      }
    } finally {
      await iterator.return?.();
    }
  }

  async keepConfig(
    descriptor: Descriptor,
    content: AsyncIterable<Uint8Array>,
    onBytes: (count: number) => void,
  ): Promise<void> {
    const { mediaType, size, digest } = descriptor;
    if (!isImageConfigType(mediaType) && mediaType !== untypedConfig) {
      throw notAnImage(mediaType);
    }
    if (size > documentLimits.configBytes) {
      throw new BoxwrightError(
        'DOCUMENT_TOO_LARGE',
        `config ${digest} has ${size} bytes, more than ${documentLimits.configBytes}`,
      );
    }
    const bytes = Buffer.alloc(size);
    let filled = 0;
    for await (const piece of counted(content, onBytes)) {
      filled += Buffer.from(piece).copy(bytes, filled);
    }
    verifyBytes(bytes.subarray(0, filled), descriptor);
    this.#configs.set(digest, bytes);
  }

  addImage({ descriptor, names }: PlacedImage, bytes: Buffer): void {
    const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
    const config = this.#configs.get(manifest.config.digest);
    if (config === undefined) throw missing(manifest.config);
    const { diffIds } = parseImageConfig(config).rootfs;
    this.#checkLayers(descriptor, manifest, diffIds);
    const name = configFile(manifest.config.digest);
    if (!this.#tar.has(name)) this.#tar.add(name, config);
    this.#index.add(names, manifest.config.digest, diffIds);
  }

  #checkLayers({ digest }: Descriptor, { layers }: ImageManifest, diffIds: readonly Digest[]): void {
    if (layers.length !== diffIds.length) {
      throw new BoxwrightError(
        'IMAGE_INVALID',
        `image ${digest} has ${layers.length} layers, but its config names ${diffIds.length}`,
      );
    }
    for (const [position, layer] of layers.entries()) {
      const actual = this.#diffIds.get(layer.digest);
      if (actual === undefined) throw missing(layer);
      if (actual === diffIds[position]) continue;
      throw new BoxwrightError(
        'LAYER_INVALID',
        `layer ${layer.digest} does not expand to its diffID ${diffIds[position]}, but to ${actual}`,
        { hint: 'the image was put together wrongly; ask whoever made it', details: { digest: layer.digest, actual } },
      );
    }
  }

  async finish(): Promise<void> {
    if (this.#index.size === 0) return await this.#output.abort();
    try {
      this.#index.write(this.#tar);
      await this.#tar.finish();
    } catch (error) {
      await this.#output.abort();
      throw error;
    }
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of bytes) {
    onBytes(piece.length);
    yield piece;
  }
}

/** Artifacts, and what speaks of an image. */
function notAnImage(mediaType: string): BoxwrightError {
  return new BoxwrightError('NOT_AN_IMAGE', `a docker-archive holds images only, not ${escapeForTerminal(mediaType)}`, {
    hint: 'an oci-archive takes everything; --referrers has to be left out otherwise',
  });
}

function missing({ digest }: Descriptor): BoxwrightError {
  return new BoxwrightError('BLOB_MISSING', `${digest}, which the image needs, is not there to be copied`, {
    details: { digest },
  });
}

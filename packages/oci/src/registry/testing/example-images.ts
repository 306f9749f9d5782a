import type { TestRepository } from './registry-content.ts';
import { generatedBlob } from './stored-blob.ts';
import { tarOf } from './tiny-tar.ts';

/** What to put there. */
export interface ExampleImageOptions {
  /** Each becomes a layer: a tar of one file with these bytes, or of that many random-looking bytes. */
  readonly layers?: readonly (string | number)[];
  readonly architecture?: string;
  readonly variant?: string;
  readonly tag?: string;
  /** Makes images differ. */
  readonly seed?: number;
  readonly docker?: boolean;
}

/** An image that is there now. */
export interface ExampleImage {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly config: string;
  readonly layers: readonly string[];
}

/** Puts an image of uncompressed layers into a repository of a test registry, without requests. */
export function putExampleImage(repository: TestRepository, options: ExampleImageOptions = {}): ExampleImage {
  const { architecture = 'amd64', seed = 0, docker = false } = options;
  const oci = 'application/vnd.oci.image';
  const layers = (options.layers ?? ['hello\n']).map((layer, index) => {
    const content = typeof layer === 'string' ? Buffer.from(layer) : randomBytes(layer, seed * 1000 + index);
    const bytes = tarOf(`file-${seed}-${index}`, content);
    return { size: bytes.length, digest: repository.putBlob(bytes) };
  });
  const config = JSON.stringify({
    architecture,
    ...(options.variant === undefined ? {} : { variant: options.variant }),
    os: 'linux',
    config: { Env: [`SEED=${seed}`], Cmd: ['/file'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map((_, index) => ({ created_by: `layer ${index}` })),
  });
  const mediaType = docker ? 'application/vnd.docker.distribution.manifest.v2+json' : `${oci}.manifest.v1+json`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: docker ? 'application/vnd.docker.container.image.v1+json' : `${oci}.config.v1+json`,
      digest: repository.putBlob(config),
      size: config.length,
    },
    layers: layers.map((layer) => ({
      mediaType: docker ? 'application/vnd.docker.image.rootfs.diff.tar' : `${oci}.layer.v1.tar`,
      ...layer,
    })),
  });
  const digest = repository.putManifest(manifest, options.tag);
  return {
    digest,
    size: manifest.length,
    mediaType,
    config: repository.putBlob(config),
    layers: layers.map((layer) => layer.digest),
  };
}

/** Puts an image for each architecture there, and an index of them. */
export function putExampleIndex(
  repository: TestRepository,
  architectures: readonly string[],
  options: ExampleImageOptions = {},
): { readonly digest: string; readonly images: readonly ExampleImage[] } {
  const { tag, ...rest } = options;
  const images = architectures.map((architecture, index) =>
    putExampleImage(repository, { ...rest, architecture, seed: (options.seed ?? 0) + index }),
  );
  const document = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: images.map(({ mediaType, digest, size }, index) => ({
      mediaType,
      digest,
      size,
      platform: { architecture: architectures[index], os: 'linux' },
    })),
  };
  return { digest: repository.putManifest(document, tag), images };
}

function randomBytes(size: number, seed: number): Buffer {
  return Buffer.concat([...generatedBlob(size, seed).read(0, size)]);
}

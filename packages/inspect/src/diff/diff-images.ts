import { createHash } from 'node:crypto';
import type { Descriptor, Digest, ImageConfig, ImageIndex, ImageManifest, TreeNode } from '@boxwright/oci';
import type { ImageFiles } from '../files/image-files.ts';
import { imageSecrets } from '../secrets/image-secrets.ts';
import { type DiffedTree, type FileDiffOptions, fileDifferences } from './file-differences.ts';
import { historyDifferences, type ShownHistory } from './history-differences.ts';
import { layerDifferences } from './layer-differences.ts';
import type { DiffedImage, FileDifferences, ImageDiff, PackageDifferences } from './model.ts';
import { PackageFiles, packageDifferences, type ReadFile } from './package-differences.ts';
import { platformDifferences } from './platform-differences.ts';
import { settingDifferences } from './setting-differences.ts';

/** One of the two images. */
export interface DiffSource {
  /** As it was asked for. */
  readonly name: string;
  /** What the name stands for. */
  readonly descriptor: Descriptor;
  /** The index that the name stands for, where its platforms are to be compared, too. */
  readonly index?: ImageIndex;
  /** Of the manifest. */
  readonly digest: Digest;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Uncompressed bytes of each layer, base first; undefined for one that has not been read. */
  readonly layerSizes: readonly (number | undefined)[];
  /** Absent when layers are not read. */
  readonly files?: ImageFiles;
  /** True when single files cost little to read: then all that tell of packages are. */
  readonly isNear: boolean;
}

/** How images are compared. */
export interface DiffOptions {
  /** Show tokens and passwords; else texts have `******` in their place. Comparing does not depend on it. */
  readonly showSecrets?: boolean;
  /** A file whose time alone differs is a difference. */
  readonly times?: boolean;
  /** How many files are listed at most (all are counted); default 100,000. */
  readonly fileLimit?: number;
  readonly signal?: AbortSignal | undefined;
}

const defaultFileLimit = 100_000;
/** `package.json` files that are read of an image: near, and of one in a registry. */
const npmLimits = { near: 50_000, far: 200 } as const;

/**
 * Compares two images: settings, history, layers, and, where layers may be read, packages and files. Images with the same
 * config have the same layers, so nothing of those is read.
 *
 * @throws BoxwrightError as reading layers; the signal's reason
 */
export async function diffImages(before: DiffSource, after: DiffSource, options: DiffOptions = {}): Promise<ImageDiff> {
  const [one, other] = [shownHistory(before, options), shownHistory(after, options)];
  const isSameImage = before.manifest.config.digest === after.manifest.config.digest;
  const platforms =
    before.index === undefined || after.index === undefined ? [] : platformDifferences(before.index, after.index);
  return {
    schemaVersion: 1,
    before: diffedImage(before),
    after: diffedImage(after),
    same: before.digest === after.digest ? 'manifest' : isSameImage ? 'image' : 'none',
    different: !isSameImage || platforms.length > 0,
    platforms,
    settings: settingDifferences(one, other),
    history: historyDifferences(one, other),
    layers: layerDifferences(one, other),
    ...(isSameImage ? nothing : await contentDifferences(before, after, options)),
  };
}

const nothing: { readonly packages: PackageDifferences; readonly files: FileDifferences } = {
  packages: { list: [], unread: [] },
  files: {
    added: 0,
    removed: 0,
    changed: 0,
    onlyTimes: 0,
    bytesBefore: 0,
    bytesAfter: 0,
    list: [],
    truncated: false,
  },
};

async function contentDifferences(
  before: DiffSource,
  after: DiffSource,
  { times = false, fileLimit = defaultFileLimit, signal }: DiffOptions,
): Promise<{ readonly packages?: PackageDifferences; readonly files?: FileDifferences }> {
  if (before.files === undefined || after.files === undefined) return {};
  const [left, right] = [new PackageFiles(), new PackageFiles()];
  const options: FileDiffOptions = {
    times,
    limit: fileLimit,
    signal,
    onDifferent: (one, other) => {
      if (one !== undefined) left.note(one);
      if (other !== undefined) right.note(other);
    },
  };
  const files = await fileDifferences(await diffedTree(before.files), await diffedTree(after.files), options);
  const packages = await packageDifferences(
    { files: left, readFile: readerOf(before.files), npmLimit: npmLimits[before.isNear ? 'near' : 'far'] },
    { files: right, readFile: readerOf(after.files), npmLimit: npmLimits[after.isNear ? 'near' : 'far'] },
  );
  return { packages, files };
}

async function diffedTree(files: ImageFiles): Promise<DiffedTree> {
  return {
    tree: await files.tree(),
    layerId: (layer) => files.layers[layer]?.diffId,
    digest: async (node) =>
      (await files.listing(node.layer)).digests.get(node.dataOffset) ?? (await sha256(files, node)),
  };
}

async function sha256(files: ImageFiles, node: TreeNode): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of files.read(node)) hash.update(piece);
  return hash.digest('hex');
}

function readerOf(files: ImageFiles): ReadFile {
  return async (node, maxSize) => {
    if (node.entry.size > maxSize) return undefined;
    const pieces: Buffer[] = [];
    // Each piece is valid until the next one is asked for.
    for await (const piece of files.read(node)) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  };
}

function shownHistory({ config, layerSizes }: DiffSource, { showSecrets = false }: DiffOptions): ShownHistory {
  return { config, layerSizes, redactor: showSecrets ? undefined : imageSecrets(config).redactor };
}

function diffedImage({ name, digest, manifest, config, layerSizes }: DiffSource): DiffedImage {
  const sizes = config.rootfs.diffIds.map((_, index) => layerSizes[index]);
  const known = sizes.filter((size) => size !== undefined);
  return {
    name,
    digest,
    mediaType: manifest.mediaType,
    id: manifest.config.digest,
    platform: [config.os, config.architecture, config.variant].filter(Boolean).join('/'),
    ...(config.created === undefined ? {} : { created: config.created }),
    layers: config.rootfs.diffIds.length,
    ...(known.length === sizes.length ? { size: sum(known) } : {}),
    transferSize: sum(manifest.layers.map(({ size }) => size)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

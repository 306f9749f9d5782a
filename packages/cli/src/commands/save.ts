import { resolve } from 'node:path';
import { UsageError } from '@boxwright/errors';
import {
  type ArchiveOutput,
  copyImage,
  type Digest,
  fileOutput,
  gzipLayers,
  type ImageDestination,
  ImageStore,
  type PlacedImage,
  saveDockerArchive,
  storeSource,
  streamOutput,
  writeOciArchive,
  writeOciLayout,
} from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { findImage } from '../find-image.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { storeRoot } from '../store-root.ts';

interface SaveFlags extends CommonFlags {
  readonly output: string;
  readonly format: 'docker' | 'oci' | 'oci-dir';
  readonly compression: 'none' | 'gzip';
  readonly platform?: string;
}

const examples = [
  'boxwright save -o app.tar app                                 for docker load, podman, skopeo',
  'boxwright save app | docker load',
  'boxwright save --format oci -o app.tar app other:1.2          OCI archive, digests kept',
  'boxwright save --format oci-dir --compression gzip -o layout app',
];

/** `boxwright save`. */
export function saveCommand(context: CommandContext): Command {
  return newCommand('save', 'Writes images to an archive.', context, examples)
    .argument('<image...>', 'names or ids of images in the local store')
    .option('-o, --output <path>', 'file, or directory for oci-dir; - is standard output', '-')
    .addOption(
      new Option('--format <format>', 'kind of archive').choices(['docker', 'oci', 'oci-dir']).default('docker'),
    )
    .addOption(
      new Option(
        '--compression <kind>',
        'layers that are not compressed: leave them, so that digests stay, or gzip them (OCI)',
      )
        .choices(['none', 'gzip'])
        .default('none'),
    )
    .option(
      '--platform <os/arch>',
      'which image of several platforms goes into a docker archive (default: this machine)',
    )
    .action((images: readonly string[], flags: SaveFlags) => save(images, flags, context));
}

async function save(names: readonly string[], flags: SaveFlags, context: CommandContext): Promise<void> {
  const toStdout = flags.output === '-';
  if (toStdout && flags.format === 'oci-dir') throw new UsageError('--format oci-dir needs --output DIR');
  if (toStdout && context.stdout.isTTY === true) {
    throw new UsageError('an archive is not written to a terminal', {
      hint: 'Redirect standard output, or give --output FILE.',
    });
  }
  if (flags.format === 'docker' && flags.compression !== 'none') {
    throw new UsageError('--compression belongs to --format oci or oci-dir', {
      hint: 'docker archives hold plain layers; compress the whole.',
    });
  }
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  using store = ImageStore.open(storeRoot(flags.store, context));
  const images = placedImages(store, names);
  const path = resolve(context.cwd, flags.output);
  const output = (): ArchiveOutput => (toStdout ? streamOutput(context.openStdout()) : fileOutput(path));
  switch (flags.format) {
    case 'docker':
      return saveDockerArchive(store, images, output(), {
        signal: context.signal,
        ...(platform === undefined ? {} : { platform }),
      });
    case 'oci':
      return saveOci(store, images, writeOciArchive(output()), flags, context);
    case 'oci-dir':
      return saveOci(store, images, writeOciLayout(path), flags, context);
    default:
      return flags.format satisfies never;
  }
}

async function saveOci(
  store: ImageStore,
  images: readonly PlacedImage[],
  destination: ImageDestination,
  flags: SaveFlags,
  { signal }: CommandContext,
): Promise<void> {
  const encoder = flags.compression === 'gzip' ? { encodeLayer: gzipLayers(store) } : {};
  try {
    const source = storeSource(store);
    for (const image of images) await copyImage(source, image, destination, { signal, ...encoder });
    await destination.finish();
  } catch (error) {
    await destination.abort();
    throw error;
  }
}

/** Each image once, with the names it was asked for by. */
function placedImages(store: ImageStore, names: readonly string[]): readonly PlacedImage[] {
  const images = new Map<Digest, { descriptor: PlacedImage['descriptor']; names: Set<string> }>();
  for (const text of names) {
    const { descriptor, name } = findImage(store, text);
    const image = images.get(descriptor.digest) ?? { descriptor, names: new Set<string>() };
    if (name !== undefined) image.names.add(name);
    images.set(descriptor.digest, image);
  }
  return [...images.values()].map((image) => ({ descriptor: image.descriptor, names: [...image.names] }));
}

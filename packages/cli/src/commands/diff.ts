import { UsageError } from '@boxwright/errors';
import { type DiffSource, diffImages, diffJson, diffText, ImageFiles, LayerReadings } from '@boxwright/inspect';
import { type ImageLayer, isIndexType, type Platform, parseIndex, storeSource } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, collect, newCommand } from '../commander.ts';
import { imageLayers, type LayerSource, openLayerSource, readableLayers } from '../layer-source.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { showSecretsOption } from '../options/show-secrets.ts';
import { openShownImage, type ShownImage } from '../shown-image.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface DiffFlags extends CommonFlags {
  readonly platform: readonly string[];
  readonly files: boolean;
  readonly times: boolean;
  readonly all: boolean;
  readonly quiet: boolean;
  readonly format: 'text' | 'json';
  readonly insecure: boolean;
  readonly showSecrets: boolean;
}

const examples = [
  'boxwright diff app:1.2 app:1.3',
  'boxwright diff docker://debian:12 docker://registry.example.org/mirror/debian:12   the same, or what differs',
  'boxwright diff --platform linux/amd64 --platform linux/arm64 app app',
  'boxwright diff --no-files --format json app oci-archive:app.tar | jq .settings',
  'boxwright diff --quiet app:latest docker://registry.example.org/app && echo nothing to push',
];

/** Lines of files in text, unless all are asked for. */
const usualFileLines = 100;

/** `boxwright diff`. */
export function diffCommand(context: CommandContext): Command {
  const place = 'in the local store, else in a registry; or a place: docker://NAME, oci:DIR, …';
  return newCommand(
    'diff',
    'Compares two images: settings, history, layers, installed packages (dpkg, apk, Python, npm) and files. Exit code 1 when they differ.',
    context,
    examples,
  )
    .argument('<before>', `name or id of the first image ${place}`)
    .argument('<after>', 'the second one')
    .option(
      '--platform <os/arch>',
      'which image of several platforms; twice: of the first, of the second (default: this machine)',
      collect,
      [],
    )
    .option('--no-files', 'do not read layers: compare no files and packages')
    .option('--times', 'count files as different when only their times are', false)
    .option('--all', 'print every file', false)
    .option('-q, --quiet', 'print nothing, only set the exit code (layers are not read)', false)
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(insecureOption())
    .addOption(showSecretsOption())
    .action((before: string, after: string, flags: DiffFlags) => diff([before, after], flags, context));
}

async function diff(names: readonly [string, string], flags: DiffFlags, context: CommandContext): Promise<void> {
  const platforms = chosenPlatforms(flags.platform);
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  await using before = await openSide(names[0], platforms[0], places);
  await using after = await openSide(names[1], platforms[1], places);
  // Images with one config can be told to be equal without a look at layers, but not when one of them is put together wrongly.
  if (flags.files) for (const side of [before, after]) side.layers();
  if (flags.files && !flags.quiet && before.source.manifest.config.digest !== after.source.manifest.config.digest) {
    await before.readLayers();
    await after.readLayers();
  }
  const found = await diffImages(before.source, after.source, {
    showSecrets: flags.showSecrets,
    times: flags.times,
    signal: places.signal,
    ...(flags.all ? { fileLimit: Number.POSITIVE_INFINITY } : {}),
  });
  if (!flags.quiet) {
    const fileLines = flags.all ? Number.POSITIVE_INFINITY : usualFileLines;
    context.stdout.write(`${flags.format === 'json' ? diffJson(found) : diffText(found, { fileLines })}\n`);
  }
  if (found.different) context.setExitCode(1);
}

function chosenPlatforms(flags: readonly string[]): readonly [Platform | undefined, Platform | undefined] {
  if (flags.length > 2) throw new UsageError('--platform is given at most twice: for the first image and the second');
  const [first, second] = flags.map(parsePlatformFlag);
  return [first, second ?? first];
}

/** One of the two images, open. */
class Side implements AsyncDisposable {
  source: DiffSource;
  readonly #image: ShownImage;
  readonly #places: CommandPlaces;
  #layers: LayerSource | undefined;

  constructor(source: DiffSource, image: ShownImage, places: CommandPlaces) {
    this.source = source;
    this.#image = image;
    this.#places = places;
  }

  /**
   * The layers with their diffIDs.
   *
   * @throws BoxwrightError IMAGE_INVALID when manifest and config disagree about the layers
   */
  layers(): ImageLayer[] {
    const { digest, manifest, config } = this.source;
    return readableLayers(digest, manifest, config.rootfs.diffIds);
  }

  /** Reads what no earlier look has read. */
  async readLayers(): Promise<void> {
    const { name } = this.source;
    const layers = this.layers();
    this.#layers = await openLayerSource(name, layers, this.#places);
    const { source } = this.#layers;
    const files = new ImageFiles(this.#places.store(), source, layers, { signal: this.#places.signal });
    await files.listings();
    const layerSizes = knownSizes(this.source, this.#places);
    this.source = { ...this.source, files, layerSizes, isNear: source.repository === undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#layers?.close();
    await this.#image.close();
  }
}

async function openSide(name: string, platform: Platform | undefined, places: CommandPlaces): Promise<Side> {
  const image = await openShownImage(name, platform, places);
  try {
    const { descriptor } = image;
    const read = await image.read();
    // A platform that was asked for is all that is compared.
    const isWhole = platform === undefined && isIndexType(descriptor.mediaType);
    const index = isWhole ? parseIndex(await image.document(), { descriptor }) : undefined;
    const source = {
      name,
      descriptor,
      digest: read.descriptor.digest,
      manifest: read.manifest,
      config: await read.config(),
    };
    const layerSizes = knownSizes(source, places);
    return new Side({ ...source, layerSizes, isNear: false, ...(index === undefined ? {} : { index }) }, image, places);
  } catch (error) {
    await image.close();
    throw error;
  }
}

/** Sizes of those layers that were read, now or earlier. */
function knownSizes(
  { manifest, config }: Pick<DiffSource, 'manifest' | 'config'>,
  places: CommandPlaces,
): (number | undefined)[] {
  const store = places.store();
  const readings = new LayerReadings(store, storeSource(store));
  return imageLayers(manifest, config.rootfs.diffIds).map((layer) => readings.known(layer)?.size);
}

import { safeJson, UsageError } from '@boxwright/errors';
import { dockerInspect, type InspectForm, imageSecrets, inspectForms, redactConfig } from '@boxwright/inspect';
import { familiarName, withDigest } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { fileSizes, sizesOption } from '../file-sizes.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { noteRedacted, showSecretsOption } from '../options/show-secrets.ts';
import { openShownImage, type ShownImage } from '../shown-image.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface InspectFlags extends CommonFlags {
  readonly format: 'docker' | 'json' | InspectForm | 'raw' | 'raw-manifest' | 'raw-config';
  readonly platform?: string;
  readonly insecure: boolean;
  readonly sizes: boolean;
  readonly showSecrets: boolean;
}

const examples = [
  'boxwright inspect app',
  'boxwright inspect docker://debian:12                          in its registry; no layer is fetched',
  'boxwright inspect --platform linux/arm64 oci:layout:1.2',
  'boxwright inspect --format docker-24 app                      as older versions of Docker print it',
  'boxwright inspect --format raw-config app | jq .history',
  'boxwright inspect --format raw app | sha256sum                the digest',
];

/** `boxwright inspect`. */
export function inspectCommand(context: CommandContext): Command {
  return newCommand(
    'inspect',
    "Prints an image's documents: as docker inspect does, or byte for byte (then with its secrets). Size is that of the files; for an image outside of the local store, that of the compressed layers unless --sizes is given.",
    context,
    examples,
  )
    .argument(
      '<image...>',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …',
    )
    .addOption(
      new Option(
        '--format <format>',
        'what to print; docker-VERSION is as that Docker prints it, docker and json as the newest; raw is the document that the name stands for, maybe an index',
      )
        .choices(['docker', 'json', ...inspectForms, 'raw', 'raw-manifest', 'raw-config'])
        .default('docker'),
    )
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .addOption(sizesOption())
    .addOption(insecureOption())
    .addOption(showSecretsOption())
    .action((images: readonly string[], flags: InspectFlags) => inspect(images, flags, context));
}

async function inspect(names: readonly string[], flags: InspectFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  const isRaw = flags.format.startsWith('raw');
  if (isRaw && names.length !== 1) throw new UsageError(`--format ${flags.format} takes one image`);
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const objects: unknown[] = [];
  for (const name of names) {
    const image = await openShownImage(name, platform, places);
    try {
      if (isRaw) context.stdout.write(await rawDocument(image, flags.format));
      else objects.push(await inspected(name, image, flags, places, context));
    } finally {
      await image.close();
    }
  }
  if (!isRaw) context.stdout.write(`${safeJson(objects, 4)}\n`);
}

async function rawDocument(image: ShownImage, format: InspectFlags['format']): Promise<Buffer> {
  if (format === 'raw') return await image.document();
  const read = await image.read();
  return format === 'raw-config' ? (await read.config()).raw : read.manifest.raw;
}

async function inspected(
  name: string,
  image: ShownImage,
  flags: InspectFlags,
  places: CommandPlaces,
  context: CommandContext,
): Promise<Record<string, unknown>> {
  const read = await image.read();
  const { descriptor, references, lastTagTime } = image;
  const sizes = flags.sizes ? await fileSizes(name, image, places) : await image.layerSizes();
  const config = await read.config();
  const { findings, redactor } = imageSecrets(config);
  if (!flags.showSecrets) {
    noteRedacted(
      findings.filter(({ place }) => place !== 'history'),
      context,
    );
  }
  return dockerInspect(
    {
      id: read.manifest.config.digest,
      config: flags.showSecrets ? config : redactConfig(config, redactor),
      descriptor,
      repoTags: references.filter(({ tag }) => tag !== undefined).map(familiarName),
      repoDigests: [...new Set(references.map((reference) => familiarName(withDigest(reference, descriptor.digest))))],
      size: sizes.reduce((sum, size) => sum + size, 0),
      ...(lastTagTime === undefined ? {} : { lastTagTime }),
    },
    inspectForms.find((form) => form === flags.format),
  );
}

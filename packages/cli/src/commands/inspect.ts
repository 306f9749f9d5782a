import { UsageError } from '@boxwright/errors';
import { dockerInspect } from '@boxwright/inspect';
import { familiarName, ImageStore, parseReference, withDigest } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { type FoundImage, findImage } from '../find-image.ts';
import { layerSizes } from '../image-size.ts';
import { storeRoot } from '../store-root.ts';
import { safeJson } from '../terminal/safe-json.ts';

interface InspectFlags extends CommonFlags {
  readonly format: 'docker' | 'json' | 'raw-manifest' | 'raw-config';
}

const examples = [
  'boxwright inspect app',
  'boxwright inspect --format raw-config app | jq .history',
  'boxwright inspect --format raw-manifest app | sha256sum       the digest',
];

/** `boxwright inspect`. */
export function inspectCommand(context: CommandContext): Command {
  return newCommand(
    'inspect',
    "Prints an image's documents: as docker inspect does, or byte for byte.",
    context,
    examples,
  )
    .argument('<image...>', 'names or ids of images in the local store')
    .addOption(
      new Option('--format <format>', 'what to print')
        .choices(['docker', 'json', 'raw-manifest', 'raw-config'])
        .default('docker'),
    )
    .action((images: readonly string[], flags: InspectFlags) => inspect(images, flags, context));
}

async function inspect(images: readonly string[], flags: InspectFlags, context: CommandContext): Promise<void> {
  using store = ImageStore.open(storeRoot(flags.store, context));
  const found = images.map((image) => findImage(store, image));
  if (flags.format === 'docker' || flags.format === 'json') {
    const objects: unknown[] = [];
    for (const image of found) objects.push(await inspected(store, image));
    context.stdout.write(`${safeJson(objects, 4)}\n`);
    return;
  }
  const [only, more] = found;
  if (only === undefined || more !== undefined) throw new UsageError(`--format ${flags.format} takes one image`);
  const image = store.image(only.descriptor);
  context.stdout.write(flags.format === 'raw-config' ? image.config().raw : image.manifest().raw);
}

async function inspected(store: ImageStore, { descriptor }: FoundImage): Promise<Record<string, unknown>> {
  const image = store.image(descriptor);
  const tags = store.listTags().filter((tag) => tag.descriptor.digest === descriptor.digest);
  const references = tags.map((tag) => parseReference(tag.name));
  const sizes = await layerSizes(store, descriptor);
  return dockerInspect({
    id: image.manifest().config.digest,
    config: image.config(),
    descriptor,
    repoTags: references.map(familiarName),
    repoDigests: [...new Set(references.map((reference) => familiarName(withDigest(reference, descriptor.digest))))],
    size: sizes.reduce((sum, size) => sum + size, 0),
    ...(tags.length === 0 ? {} : { lastTagTime: Math.max(...tags.map((tag) => tag.taggedAt)) }),
  });
}

import { UsageError } from '@boxwright/errors';
import {
  canonicalName,
  familiarName,
  type ImageStore,
  parseImageLocation,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { CommandPlaces } from '../command-places.ts';
import { newCommand } from '../commander.ts';
import { findImage } from '../find-image.ts';
import { parseCompressionFlag } from '../options/compression.ts';
import { parseRegistryReference, parseRepository } from '../options/registry-reference.ts';
import { presentPlatforms } from '../present-platforms.ts';
import type { TransferJob } from '../transfer/run-transfers.ts';
import { runTransferCommand } from '../transfer/transfer-command.ts';
import {
  addTransferFlags,
  compressionOption,
  insecureOption,
  type TransferFlags,
  wholeByDefault,
} from '../transfer/transfer-flags.ts';

interface PushFlags extends TransferFlags {
  readonly allTags: boolean;
  readonly insecure: boolean;
  readonly compression: string;
}

const examples = [
  'boxwright push registry.example.com/team/app:1.2',
  'boxwright push app registry.example.com/team/app:1.2        under another name',
  'boxwright push --compression zstd:10 localhost:5000/app',
  'boxwright push --dry-run localhost:5000/app                 what would be uploaded',
];

/** `boxwright push`. */
export function pushCommand(context: CommandContext): Command {
  const command = newCommand('push', 'Brings an image of the local store to a registry.', context, examples)
    .argument('<image>', 'name or id of an image in the local store')
    .argument('[name]', 'name in the registry (default: that of the image)')
    .option('-a, --all-tags', 'every tag of the repository', false)
    .addOption(compressionOption('gzip'))
    .addOption(insecureOption());
  return addTransferFlags(command, wholeByDefault).action((image: string, name: string | undefined, flags: PushFlags) =>
    push(image, name, flags, context),
  );
}

async function push(image: string, name: string | undefined, flags: PushFlags, context: CommandContext): Promise<void> {
  const target = name === undefined ? undefined : parseRegistryReference(name);
  if (flags.allTags && target !== undefined) {
    throw new UsageError('--all-tags pushes every tag under its own name', { hint: `Leave out ${name}.` });
  }
  const compression = parseCompressionFlag(flags.compression);
  await runTransferCommand(
    {
      flags,
      insecure: flags.insecure,
      compression,
      jobs: (places) => {
        const jobs = flags.allTags ? tagJobs(image, places) : [imageJob(image, target, places.store())];
        const isChosen = flags.platform.length > 0 || flags.policy !== undefined;
        return isChosen ? jobs : jobs.map((job) => ofPresentPlatforms(job, places.store()));
      },
    },
    context,
  );
}

function imageJob(image: string, target: Reference | undefined, store: ImageStore): TransferJob {
  const location = parseImageLocation(image);
  if (location.transport !== 'store') {
    throw new UsageError(`push takes an image of the local store, ${image} is somewhere else`, {
      hint: `Use 'boxwright copy ${image} docker://NAME'.`,
    });
  }
  const found = findImage(store, image);
  const name = target ?? (found.name === undefined ? undefined : parseReference(found.name));
  if (name === undefined) {
    throw new UsageError(`${image} is an id: under which name is the image to be pushed?`, {
      hint: `Write 'boxwright push ${image} NAME'.`,
    });
  }
  return pushJob(image, name);
}

function tagJobs(image: string, places: CommandPlaces): readonly TransferJob[] {
  const repository = repositoryName(parseRepository(image));
  const names = places
    .store()
    .listTags()
    .map((stored) => parseReference(stored.name))
    .filter((reference) => repositoryName(reference) === repository && reference.tag !== undefined);
  // Says what is there instead.
  if (names.length === 0) findImage(places.store(), image);
  return names.map((reference) => pushJob(canonicalName(reference), reference));
}

/**
 * Of an index that was pulled for one platform only what is here can be pushed: that image, as Docker does. What was
 * taken is said at the end.
 */
function ofPresentPlatforms(job: TransferJob, store: ImageStore): TransferJob {
  const present = presentPlatforms(store, findImage(store, job.shownSource).descriptor);
  if (present === undefined || present.isComplete || present.platforms.length === 0) return job;
  const policy = present.platforms.length === 1 ? 'single' : 'rewrite';
  return { ...job, options: { policy, platforms: present.platforms } };
}

function pushJob(image: string, target: Reference): TransferJob {
  const name = canonicalName(withDefaultTag(target));
  const familiar = familiarName(withDefaultTag(target));
  return {
    title: image === familiar || image === name ? `Pushing ${familiar}` : `Pushing ${image} to ${familiar}`,
    source: { transport: 'store', reference: image },
    destination: { transport: 'docker', reference: name },
    shownSource: image,
    shownDestination: name.replace(/@.*$/, ''),
  };
}

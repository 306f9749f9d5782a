import { UsageError } from '@boxwright/errors';
import { parseImageLocation, type Reference, withDefaultTag, withTag } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { CommandPlaces } from '../command-places.ts';
import { newCommand } from '../commander.ts';
import { parseRegistryReference, parseRepository } from '../options/registry-reference.ts';
import { listTags } from '../transfer/list-tags.ts';
import { pullJob } from '../transfer/pull-job.ts';
import { runTransferCommand } from '../transfer/transfer-command.ts';
import { addTransferFlags, insecureOption, type TransferFlags } from '../transfer/transfer-flags.ts';

interface PullFlags extends TransferFlags {
  readonly allTags: boolean;
  readonly insecure: boolean;
}

const examples = [
  'boxwright pull debian:12',
  'boxwright pull --platform linux/arm64 registry.example.com/team/app:1.2',
  'boxwright pull --platform all --referrers app@sha256:…      everything, with signatures',
  'boxwright pull --dry-run debian                             what would be fetched',
];

/** `boxwright pull`. */
export function pullCommand(context: CommandContext): Command {
  const command = newCommand('pull', 'Brings images from a registry into the local store.', context, examples)
    .argument('<image...>', 'names in a registry')
    .option('-a, --all-tags', 'every tag of the repository', false)
    .addOption(insecureOption());
  return addTransferFlags(command, { platforms: 'this machine', policy: 'sparse' }).action(
    (images: readonly string[], flags: PullFlags) => pull(images, flags, context),
  );
}

async function pull(images: readonly string[], flags: PullFlags, context: CommandContext): Promise<void> {
  for (const image of images) refuseOtherTransports(image);
  const references = images.map(flags.allTags ? parseRepository : parseImage);
  await runTransferCommand(
    {
      flags,
      insecure: flags.insecure,
      // The index stays as it is, with its digest; the store can do without the other platforms.
      defaultPolicy: 'sparse',
      jobs: async (places) => (await expand(references, flags.allTags, places)).map(pullJob),
    },
    context,
  );
}

function parseImage(text: string): Reference {
  return withDefaultTag(parseRegistryReference(text));
}

async function expand(
  references: readonly Reference[],
  allTags: boolean,
  places: CommandPlaces,
): Promise<readonly Reference[]> {
  if (!allTags) return references;
  const expanded: Reference[] = [];
  for (const repository of references) {
    for (const tag of await listTags(repository, places)) expanded.push(withTag(repository, tag));
  }
  return expanded;
}

function refuseOtherTransports(text: string): void {
  const { transport } = parseImageLocation(text);
  if (transport === 'store' || transport === 'docker') return;
  throw new UsageError(`pull takes names in a registry, ${text} is none`, {
    hint: `Use 'boxwright copy ${text} NAME' to bring it into the store.`,
  });
}

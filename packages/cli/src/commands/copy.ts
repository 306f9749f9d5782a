import { UsageError } from '@boxwright/errors';
import {
  canonicalName,
  type ImageFormat,
  type ImageLocation,
  parseImageLocation,
  parseReference,
  type Reference,
  withTag,
} from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { CommandPlaces } from '../command-places.ts';
import { newCommand } from '../commander.ts';
import { parseCompressionFlag } from '../options/compression.ts';
import { parseRepository } from '../options/registry-reference.ts';
import { listTags } from '../transfer/list-tags.ts';
import type { TransferJob } from '../transfer/run-transfers.ts';
import { runTransferCommand } from '../transfer/transfer-command.ts';
import {
  addTransferFlags,
  compressionOption,
  insecure,
  type TransferFlags,
  wholeByDefault,
} from '../transfer/transfer-flags.ts';

interface CopyFlags extends TransferFlags {
  readonly allTags: boolean;
  readonly srcInsecure: boolean;
  readonly destInsecure: boolean;
  readonly compression: string;
  readonly toFormat?: ImageFormat;
}

const examples = [
  'boxwright copy docker://debian:12 docker://localhost:5000/debian:12',
  'boxwright copy docker://debian:12 oci:layout:12              an OCI image layout',
  'boxwright copy app oci-archive:app.tar:1.2                   from the local store',
  'boxwright copy docker-archive:app.tar app:1.2                into the local store',
  'boxwright copy app docker-daemon:app:1.2                     into a Docker Engine',
  'boxwright copy --platform linux/amd64,linux/arm64 docker://debian docker://localhost:5000/debian',
  'boxwright copy --all-tags docker://localhost:5000/app docker://localhost:5001/app',
];

/** `boxwright copy`. */
export function copyCommand(context: CommandContext): Command {
  const command = newCommand(
    'copy',
    'Copies an image from any place to any other, byte for byte: docker://NAME (a registry), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-daemon:NAME (a Docker Engine), or NAME (the local store).',
    context,
    examples,
  )
    .argument('<source>', 'where the image is')
    .argument('<destination>', 'where it goes')
    .option('-a, --all-tags', 'every tag of a repository, from registry to registry or into the store', false)
    .addOption(compressionOption('none'))
    .addOption(
      new Option('--to-format <format>', 'convert manifests to this family of media types').choices(['oci', 'docker']),
    )
    .addOption(insecure('--src-insecure', 'the registry of the source'))
    .addOption(insecure('--dest-insecure', 'the registry of the destination'));
  return addTransferFlags(command, wholeByDefault).action((source: string, destination: string, flags: CopyFlags) =>
    copy(source, destination, flags, context),
  );
}

async function copy(source: string, destination: string, flags: CopyFlags, context: CommandContext): Promise<void> {
  const from = parseImageLocation(source);
  const to = parseImageLocation(destination);
  const compression = parseCompressionFlag(flags.compression);
  await runTransferCommand(
    {
      flags,
      insecure: [...insecureHost(from, flags.srcInsecure), ...insecureHost(to, flags.destInsecure)],
      compression,
      format: flags.toFormat,
      jobs: (places) =>
        flags.allTags
          ? tagJobs(source, destination, places)
          : [
              {
                title: `Copying ${source} to ${destination}`,
                source: from,
                destination: to,
                shownSource: source,
                shownDestination: destination,
              },
            ],
    },
    context,
  );
}

/** The registry of a place, if it may be talked to without protection. */
function insecureHost(location: ImageLocation, isInsecure: boolean): readonly string[] {
  return isInsecure && location.transport === 'docker' ? [parseReference(location.reference).domain] : [];
}

async function tagJobs(source: string, destination: string, places: CommandPlaces): Promise<readonly TransferJob[]> {
  const from = repositoryOf(parseImageLocation(source), source);
  const to = parseImageLocation(destination);
  const target = repositoryOf(to, destination);
  if (parseImageLocation(source).transport !== 'docker') {
    throw new UsageError('--all-tags copies from a registry', { hint: 'Write docker://NAME for the source.' });
  }
  const tags = await listTags(from, places);
  return tags.map((tag) => {
    const [sourceName, name] = [canonicalName(withTag(from, tag)), canonicalName(withTag(target, tag))];
    return {
      title: `Copying ${sourceName} to ${name}`,
      source: { transport: 'docker', reference: sourceName },
      destination: { transport: to.transport === 'docker' ? 'docker' : 'store', reference: name },
      shownSource: sourceName,
      shownDestination: name,
    };
  });
}

function repositoryOf(location: ImageLocation, text: string): Reference {
  if (location.transport === 'docker' || location.transport === 'store') return parseRepository(location.reference);
  throw new UsageError(`--all-tags: ${text} holds no repository`, {
    hint: 'Only a registry (docker://NAME) or the local store (NAME) takes all tags.',
  });
}

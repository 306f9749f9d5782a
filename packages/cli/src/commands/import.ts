import { resolve } from 'node:path';
import { UsageError } from '@boxwright/errors';
import {
  canonicalName,
  ImageStore,
  importRootfs,
  parseReference,
  rememberUntagged,
  withDefaultTag,
} from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, collect, newCommand, refuseFlag } from '../commander.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { storeRoot } from '../store-root.ts';

interface ImportFlags extends CommonFlags {
  readonly tag: readonly string[];
  readonly message?: string;
  readonly platform?: string;
}

const examples = [
  'boxwright import rootfs.tar.gz -t base:1',
  'debootstrap --variant=minbase trixie root && tar -C root -c . | boxwright import - -t debian:trixie',
];

/** `boxwright import`. */
export function importCommand(context: CommandContext): Command {
  const command = newCommand(
    'import',
    'Makes an image of one layer from the tar of a root file system.',
    context,
    examples,
  )
    .argument('<file>', 'tar, plain or compressed with gzip, zstd, xz or bzip2; - is standard input')
    .argument('[name]', 'name for the image, as with --tag')
    .option('-t, --tag <name>', 'name for the image; may be repeated', collect, [])
    .option('-m, --message <text>', "comment of the image's history row")
    .option('--platform <os/arch>', 'platform of the programs in it (default: this machine)')
    .action((file: string, name: string | undefined, flags: ImportFlags) => importImage(file, name, flags, context));
  refuseFlag(command, '-c, --change <instruction>', 'Build on it instead: a Dockerfile with FROM and the instruction.');
  return command;
}

async function importImage(
  file: string,
  name: string | undefined,
  flags: ImportFlags,
  context: CommandContext,
): Promise<void> {
  if (file === '-' && context.stdin.isTTY) {
    throw new UsageError('there is no tar on standard input', { hint: 'Give a file, or pipe one in.' });
  }
  if (/^https?:/.test(file))
    throw new UsageError(`${file}: URLs are not fetched`, { hint: 'Fetch it first and give the file.' });
  const names = [...flags.tag, ...(name === undefined ? [] : [name])].map((text) =>
    withDefaultTag(parseReference(text)),
  );
  using store = ImageStore.open(storeRoot(flags.store, context));
  const input = file === '-' ? context.stdin.open() : resolve(context.cwd, file);
  const descriptor = await importRootfs(store, input, {
    signal: context.signal,
    ...(flags.message === undefined ? {} : { message: flags.message }),
    ...(flags.platform === undefined ? {} : { platform: parsePlatformFlag(flags.platform) }),
  });
  for (const reference of names) store.tag(canonicalName(reference), descriptor);
  const id = store.image(descriptor).manifest().config.digest;
  if (names.length === 0) rememberUntagged(store, id, descriptor);
  context.stdout.write(`${id}\n`);
}

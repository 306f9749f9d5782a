import { safeJson } from '@boxwright/errors';
import { repositoryName } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { parseCount, parseRepository } from '../options/registry-reference.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface TagsFlags extends CommonFlags {
  readonly last?: string;
  readonly limit?: string;
  readonly insecure: boolean;
  readonly format: 'table' | 'json';
}

const examples = [
  'boxwright tags debian',
  'boxwright tags --limit 20 --last 1.2 registry.example.com/team/app     the 20 after 1.2',
  'boxwright tags --format json localhost:5000/app',
];

/** `boxwright tags`. */
export function tagsCommand(context: CommandContext): Command {
  return newCommand('tags', "Lists a repository's tags, in the registry's order.", context, examples)
    .argument('<repository>', 'name in a registry, without a tag')
    .option('--last <tag>', 'begin after this tag')
    .option('--limit <n>', 'list no more than so many')
    .addOption(insecureOption())
    .addOption(formatOption())
    .action((repository: string, flags: TagsFlags) => tags(repository, flags, context));
}

async function tags(text: string, flags: TagsFlags, context: CommandContext): Promise<void> {
  const reference = parseRepository(text);
  const limit = flags.limit === undefined ? Number.POSITIVE_INFINITY : parseCount(flags.limit, '--limit');
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const repository = places.registries().repository({ registry: reference.domain, path: reference.path });
  const listed: string[] = [];
  const { signal } = context;
  const options = { signal, ...(flags.last === undefined ? {} : { last: flags.last }), ...pageSize(limit) };
  for await (const tag of repository.tags(options)) {
    listed.push(tag);
    // A tag has only characters that a terminal can take: the client has checked it.
    if (flags.format === 'table') context.stdout.write(`${tag}\n`);
    if (listed.length >= limit) break;
  }
  if (flags.format === 'json') {
    context.stdout.write(`${safeJson({ repository: repositoryName(reference), tags: listed }, 2)}\n`);
  }
}

/** Nothing is asked for that would not be shown. */
function pageSize(limit: number): { readonly pageSize?: number } {
  return limit < 1000 ? { pageSize: limit } : {};
}

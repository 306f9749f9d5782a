import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { escapeForTerminal, safeJson, UsageError } from '@boxwright/errors';
import { formatSizeShort, formatTable } from '@boxwright/inspect';
import { ImageStore, type RemovedItem } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { storeRoot } from '../store-root.ts';
import { isRoot, runInUserNamespace } from '../user-namespace.ts';

interface PruneFlags extends CommonFlags {
  readonly all: boolean;
  readonly keepCache: boolean;
  readonly filter?: string;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly verbose?: boolean;
  readonly format: 'table' | 'json';
}

const examples = [
  'boxwright prune                       what neither a named image nor its build cache needs',
  'boxwright prune --all                 the build cache and unpacked layers too',
  'boxwright prune --all --filter until=72h',
  'boxwright prune --dry-run --format json',
];

/** `boxwright prune`. */
export function pruneCommand(context: CommandContext): Command {
  return newCommand('prune', 'Frees the space of what no named image needs. Named images stay.', context, examples)
    .option('-a, --all', 'remove all build cache, cache mounts and unpacked layers too', false)
    .option('--keep-cache', 'keep all build cache', false)
    .option('--filter <until=duration>', 'keep build cache used within this time, for example until=24h')
    .option('--dry-run', 'only say what would go', false)
    .option('-v, --verbose', 'list everything that goes')
    .option('-f, --force', 'accepted for docker: nothing is asked', false)
    .addOption(formatOption())
    .action((flags: PruneFlags) => prune(flags, context));
}

async function prune(flags: PruneFlags, context: CommandContext): Promise<void> {
  if (flags.all && flags.keepCache) throw new UsageError('--all and --keep-cache exclude each other');
  const olderThanMs = flags.filter === undefined ? undefined : parseUntil(flags.filter);
  const root = storeRoot(flags.store, context);
  // What a RUN without root has left belongs to ids that only its kind of user namespace may act for.
  if ((isRoot() || holdsForeignFiles(root)) && (await runInUserNamespace(context))) return;
  using store = ImageStore.open(root);
  const report = await store.gc({
    cache: flags.all ? 'all' : flags.keepCache ? 'keep' : 'unused',
    ...(olderThanMs === undefined ? {} : { olderThanMs }),
    dryRun: flags.dryRun,
    signal: context.signal,
  });
  if (flags.format === 'json') {
    context.stdout.write(`${safeJson(report, 2)}\n`);
    return;
  }
  for (const problem of report.problems) context.stderr.write(`warning: ${escapeForTerminal(problem)}\n`);
  context.stdout.write(flags.verbose === true ? itemLines(report.removed) : kindLines(report.removed));
  context.stdout.write(
    `Total reclaimed space: ${formatSizeShort(report.bytesFreed)}${flags.dryRun ? ' (dry run)' : ''}\n`,
  );
}

function itemLines(removed: readonly RemovedItem[]): string {
  return removed
    .map(({ kind, name, bytes }) => `${kind}  ${escapeForTerminal(name)}  ${formatSizeShort(bytes)}\n`)
    .join('');
}

/** How many of each kind, and how large together. */
function kindLines(removed: readonly RemovedItem[]): string {
  const kinds = Map.groupBy(removed, (item) => item.kind);
  const rows = [...kinds].map(([kind, items]) => [
    kind,
    String(items.length),
    formatSizeShort(items.reduce((sum, item) => sum + item.bytes, 0)),
  ]);
  return rows.length === 0 ? '' : formatTable(['REMOVED', 'COUNT', 'SIZE'], rows);
}

/** Unpacked layers and cache mounts are what a RUN writes to. */
function holdsForeignFiles(root: string): boolean {
  return ['snapshots', 'cache-mounts'].some((folder) => {
    const path = join(root, folder);
    return existsSync(path) && readdirSync(path).length > 0;
  });
}

const units = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** `until=` with a duration like `24h` or `1h30m`. */
function parseUntil(filter: string): number {
  const text = /^until=((?:\d+[smhd])+)$/.exec(filter)?.[1];
  if (text === undefined)
    throw new UsageError(`--filter ${filter}: must be until=DURATION`, { hint: 'For example until=24h.' });
  let milliseconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g))
    milliseconds += Number(count) * (units.get(unit ?? '') ?? 0);
  return milliseconds;
}

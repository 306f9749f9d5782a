import { escapeForTerminal, safeJson } from '@boxwright/errors';
import { type CopyOptions, compressLayers, type ImageFormat, type LayerCompressionChoice } from '@boxwright/oci';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { parsePlatformsFlag } from '../options/platforms.ts';
import type { ProgressMode } from '../progress/create-renderer.ts';
import { writeNote } from '../terminal/write-note.ts';
import { createTransferRenderer } from './create-transfer-renderer.ts';
import { ledgerText } from './ledger-text.ts';
import { planText } from './plan-text.ts';
import { runTransfer, type TransferJob, type TransferResult } from './run-transfers.ts';
import type { TransferFlags } from './transfer-flags.ts';

/** What a command adds to its flags. */
export interface TransferCommand {
  readonly flags: TransferFlags;
  readonly insecure: boolean | readonly string[];
  /** Which images; asked once the places are open (all tags of a repository have to be listed first). */
  readonly jobs: (places: CommandPlaces) => Promise<readonly TransferJob[]> | readonly TransferJob[];
  readonly compression?: LayerCompressionChoice | undefined;
  readonly format?: ImageFormat | undefined;
  /** Policy without `--policy`, where that is not the library's. */
  readonly defaultPolicy?: CopyOptions['policy'];
}

/** Runs pull, push and copy: everything from flags to output. One image after the other, each with all its parts at once. */
export async function runTransferCommand(command: TransferCommand, context: CommandContext): Promise<void> {
  const { flags } = command;
  const renderer = await createTransferRenderer(progressMode(flags, context), context.stderr, context.colors);
  const results: TransferResult[] = [];
  const asText = flags.format === 'table';
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: command.insecure,
    // What a registry has to say matters also where nothing moves that could be drawn.
    onNote: (note) => (flags.dryRun && !flags.quiet ? writeNote(note, context) : renderer.onEvent(note)),
  });
  try {
    const settings = { options: copyOptions(command, places), dryRun: flags.dryRun };
    for (const job of await command.jobs(places)) {
      results.push(await runTransfer(job, settings, places, renderer));
    }
  } finally {
    renderer.finish();
  }
  if (!asText) {
    const list = results.map((result) => (result.kind === 'done' ? result.ledger : result.plan));
    context.stdout.write(`${safeJson(list, 2)}\n`);
    return;
  }
  for (const result of results) {
    if (result.kind === 'plan') {
      context.stdout.write(planText(result.plan, result.job.shownSource, result.job.shownDestination));
      continue;
    }
    if (!flags.quiet) for (const line of ledgerText(result.ledger)) context.stderr.write(`${line}\n`);
    context.stdout.write(`${resultLine(result)}\n`);
  }
}

/** Programs that read JSON get an error on standard error as JSON, and nothing else there, unless they ask for progress. */
function progressMode({ quiet, dryRun, format, progress }: TransferFlags, { stderr }: CommandContext): ProgressMode {
  const isForProgram = format === 'json' && progress === 'auto' && stderr.isTTY !== true;
  return quiet || dryRun || isForProgram ? 'quiet' : progress;
}

/** What a script wants to know of an image that has arrived: its name and digest. */
function resultLine({ job, ledger }: Extract<TransferResult, { kind: 'done' }>): string {
  return `${escapeForTerminal(job.shownDestination)}@${ledger.digest}`;
}

function copyOptions(command: TransferCommand, places: CommandPlaces): Omit<CopyOptions, 'signal' | 'onEvent'> {
  const { flags, compression, format, defaultPolicy } = command;
  const choice = parsePlatformsFlag(flags.platform);
  const platforms = choice === 'all' ? undefined : choice;
  const policy = flags.policy ?? (choice === 'all' ? 'whole' : defaultPolicy);
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(platforms === undefined ? {} : { platforms }),
    ...(flags.referrers ? { referrers: true } : {}),
    ...(compression === undefined ? {} : { encodeLayer: compressLayers(places.store(), compression) }),
    ...(format === undefined ? {} : { format }),
  };
}

import { historyRows, historyTable } from '@boxwright/inspect';
import { ImageStore } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { findImage } from '../find-image.ts';
import { layerSizes } from '../image-size.ts';
import { storeRoot } from '../store-root.ts';
import { safeJson } from '../terminal/safe-json.ts';

interface HistoryFlags extends CommonFlags {
  readonly trunc: boolean;
  readonly format: 'table' | 'json';
}

const examples = [
  'boxwright history app',
  'boxwright history --no-trunc app:1.2',
  'boxwright history --format json app',
];

/** `boxwright history`. */
export function historyCommand(context: CommandContext): Command {
  return newCommand('history', 'Shows how an image was made, newest row first.', context, examples)
    .argument('<image>', 'name or id of an image in the local store')
    .option('--no-trunc', 'print times and instructions in full')
    .addOption(formatOption())
    .action((image: string, flags: HistoryFlags) => history(image, flags, context));
}

async function history(text: string, flags: HistoryFlags, context: CommandContext): Promise<void> {
  using store = ImageStore.open(storeRoot(flags.store, context));
  const { descriptor } = findImage(store, text);
  const rows = historyRows(store.image(descriptor).config().history, await layerSizes(store, descriptor));
  if (flags.format === 'json') {
    context.stdout.write(`${safeJson(rows, 2)}\n`);
  } else {
    context.stdout.write(historyTable(rows, { now: Date.now(), noTruncate: !flags.trunc }));
  }
}

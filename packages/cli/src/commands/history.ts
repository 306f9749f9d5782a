import { safeJson } from '@boxwright/errors';
import { historyRows, historyTable, imageSecrets, redactConfig } from '@boxwright/inspect';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { fileSizes, sizesOption } from '../file-sizes.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { noteRedacted, showSecretsOption } from '../options/show-secrets.ts';
import { openShownImage } from '../shown-image.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface HistoryFlags extends CommonFlags {
  readonly trunc: boolean;
  readonly format: 'table' | 'json';
  readonly platform?: string;
  readonly insecure: boolean;
  readonly sizes: boolean;
  readonly showSecrets: boolean;
}

const examples = [
  'boxwright history app',
  'boxwright history --no-trunc app:1.2',
  'boxwright history docker://debian:12                 in its registry; no layer is fetched',
  'boxwright history --sizes docker://debian:12         layers are read once, and not kept',
  'boxwright history --platform linux/arm64 oci-archive:app.tar',
  'boxwright history --format json app',
];

/** `boxwright history`. */
export function historyCommand(context: CommandContext): Command {
  return newCommand(
    'history',
    'Shows how an image was made, newest row first. Sizes are those of the files; for an image outside of the local store, those of the compressed layers unless --sizes is given.',
    context,
    examples,
  )
    .argument(
      '<image>',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …',
    )
    .option('--no-trunc', 'print times and instructions in full')
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .addOption(sizesOption())
    .addOption(insecureOption())
    .addOption(showSecretsOption())
    .addOption(formatOption())
    .action((image: string, flags: HistoryFlags) => history(image, flags, context));
}

async function history(text: string, flags: HistoryFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const image = await openShownImage(text, platform, places);
  try {
    const read = await image.read();
    const config = await read.config();
    const { findings, redactor } = imageSecrets(config);
    const shown = flags.showSecrets ? config : redactConfig(config, redactor);
    const sizes = flags.sizes ? await fileSizes(text, image, places) : await image.layerSizes();
    const rows = historyRows(shown.history, sizes, read.manifest.config.digest);
    if (!flags.showSecrets) {
      noteRedacted(
        findings.filter(({ place }) => place === 'history'),
        context,
      );
    }
    if (flags.format === 'json') {
      context.stdout.write(`${safeJson(rows, 2)}\n`);
    } else {
      context.stdout.write(historyTable(rows, { now: Date.now(), noTruncate: !flags.trunc }));
    }
  } finally {
    await image.close();
  }
}

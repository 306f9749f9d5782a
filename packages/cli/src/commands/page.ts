import { resolve } from 'node:path';
import { chinaTime, type Language, pageHtml, pageJson, pageText, parseTimeZone } from '@boxwright/inspect';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { preferredLanguage } from '../options/language.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { showSecretsOption } from '../options/show-secrets.ts';
import { pageExtrasOf } from '../page-extras-of.ts';
import { pageOf } from '../page-of.ts';
import { openShownImage } from '../shown-image.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';
import { writeFileAtomically } from '../write-file.ts';

interface PageFlags extends CommonFlags {
  readonly lang?: Language;
  readonly format: 'text' | 'json';
  readonly html?: string;
  readonly timeZone?: string;
  readonly platform?: string;
  readonly insecure: boolean;
  readonly sizes: boolean;
  readonly showSecrets: boolean;
}

const examples = [
  'boxwright page app',
  'boxwright page --lang zh docker://debian:12           layers are read once, and not kept',
  'boxwright page --time-zone Europe/Berlin --platform linux/arm64 oci-archive:app.tar',
  'boxwright page --html app.html --lang en app           with a map of its files; open it in a browser',
  'boxwright page --no-sizes --format json app | jq .history',
];

/** `boxwright page`. */
export function pageCommand(context: CommandContext): Command {
  return newCommand(
    'page',
    'Explains an image: each step of its history with time, size and what it does, then its settings. Sizes are those that Docker shows.',
    context,
    examples,
  )
    .argument(
      '<image>',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …',
    )
    .addOption(new Option('--lang <language>', "Chinese or English (default: the locale's)").choices(['zh', 'en']))
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(
      new Option(
        '--html <file>',
        'write one HTML file instead: the page with its files, waste and Dockerfile',
      ).conflicts('format'),
    )
    .option(
      '--time-zone <zone>',
      "+08:00, UTC, local or a name such as Asia/Shanghai (default: +08:00 in Chinese, else this machine's)",
    )
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .option('--no-sizes', 'do not read layers; sizes that are not known from an earlier look are left out')
    .addOption(insecureOption())
    .addOption(showSecretsOption())
    .action((image: string, flags: PageFlags) => page(image, flags, context));
}

async function page(name: string, flags: PageFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  const language = flags.lang ?? preferredLanguage(context.env);
  const timeZone =
    flags.timeZone === undefined && language === 'zh' ? chinaTime : parseTimeZone(flags.timeZone ?? 'local');
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const image = await openShownImage(name, platform, places);
  try {
    const options = { readLayers: flags.sizes, showSecrets: flags.showSecrets };
    // Listings come first: sizes come with them, so that no layer is read twice.
    const extras = flags.html === undefined ? undefined : await pageExtrasOf(name, image, places, options);
    const made = await pageOf(name, image, places, { timeZone, ...options });
    if (flags.html !== undefined) {
      writeFileAtomically(resolve(context.cwd, flags.html), pageHtml(made, language, extras));
      return;
    }
    context.stdout.write(`${flags.format === 'json' ? pageJson(made) : pageText(made, language)}\n`);
  } finally {
    await image.close();
  }
}

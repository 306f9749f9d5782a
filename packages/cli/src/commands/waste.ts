import { escapeForTerminal } from '@boxwright/errors';
import {
  checkWaste,
  type Efficiency,
  formatSize,
  measureEfficiency,
  parseRatio,
  parseSize,
  type RuleResult,
  ruleText,
  type WasteRules,
  wasteJson,
} from '@boxwright/inspect';
import { fromByteString } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { openImageFiles } from '../open-image-files.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface WasteFlags extends CommonFlags {
  readonly lowestEfficiency?: string;
  readonly highestWastedBytes?: string;
  readonly highestUserWastedPercent?: string;
  readonly format: 'table' | 'json';
  readonly platform?: string;
  readonly insecure: boolean;
}

const examples = [
  'boxwright waste app',
  'boxwright waste --lowest-efficiency 0.95 --highest-wasted-bytes 20MB app        exit code 1 when it does not hold',
  'boxwright waste --format json docker://debian:12 | jq .wasted',
];

/** Paths that are printed; all of them are in the JSON. */
const shownPaths = 20;

/** `boxwright waste`. */
export function wasteCommand(context: CommandContext): Command {
  return newCommand(
    'waste',
    "Measures what an image carries without need: files that several layers have, and removed ones, as dive counts them. With rules, the exit code says whether they hold; the rules are dive's.",
    context,
    examples,
  )
    .argument(
      '<image>',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …',
    )
    .option('--lowest-efficiency <ratio>', 'score that the image must have, 0 to 1 or in percent')
    .option('--highest-wasted-bytes <size>', 'most that may be wasted, such as 20MB')
    .option(
      '--highest-user-wasted-percent <ratio>',
      'most that may be wasted of what the layers above the lowest one add, 0 to 1 or in percent',
    )
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .addOption(insecureOption())
    .addOption(formatOption())
    .action((image: string, flags: WasteFlags) => waste(image, flags, context));
}

async function waste(name: string, flags: WasteFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  const rules = rulesOf(flags);
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const { files, image, close } = await openImageFiles(name, platform, places);
  try {
    const listings = await files.listings();
    const efficiency = measureEfficiency(listings.map(({ index }) => index));
    const results = checkWaste(efficiency, rules);
    context.stdout.write(
      flags.format === 'json' ? `${wasteJson(image, efficiency, results)}\n` : wasteText(efficiency, results),
    );
    if (results.some(({ passed }) => !passed)) context.setExitCode(1);
  } finally {
    await close();
  }
}

function rulesOf(flags: WasteFlags): WasteRules {
  const { lowestEfficiency, highestWastedBytes, highestUserWastedPercent } = flags;
  return {
    lowestEfficiency: lowestEfficiency === undefined ? undefined : parseRatio(lowestEfficiency),
    highestWastedBytes: highestWastedBytes === undefined ? undefined : parseSize(highestWastedBytes),
    highestUserWastedPercent: highestUserWastedPercent === undefined ? undefined : parseRatio(highestUserWastedPercent),
  };
}

function wasteText(efficiency: Efficiency, results: readonly RuleResult[]): string {
  const { score, wastedBytes, userWastedRatio, bytes, wasted } = efficiency;
  const percent = (ratio: number): string => `${(ratio * 100).toFixed(2)} %`;
  const lines = [
    `efficiency:     ${percent(score)} of ${formatSize(bytes)}`,
    `wasted:         ${formatSize(wastedBytes)}, ${percent(userWastedRatio)} of what is above the lowest layer`,
  ];
  const shown = wasted.slice(0, shownPaths).filter((path) => path.bytes > 0);
  if (shown.length > 0) lines.push('', 'COUNT  WASTED      PATH');
  for (const { path, count, bytes: sum } of shown) {
    const size = formatSize(sum).padEnd(10);
    lines.push(`${String(count).padStart(5)}  ${size}  /${escapeForTerminal(fromByteString(path))}`);
  }
  if (shown.length === shownPaths && wasted.length > shownPaths) lines.push(`… and ${wasted.length - shownPaths} more`);
  if (results.length > 0) lines.push('', ...results.map(ruleText));
  return `${lines.join('\n')}\n`;
}

import { UsageError } from '@boxwright/errors';
import { type PlatformPolicy, platformPolicies } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import { type CommonFlags, collect, formatOption } from '../commander.ts';
import type { ProgressMode } from '../progress/create-renderer.ts';

/** What pull, push and copy have in common, as commander hands it on. */
export interface TransferFlags extends CommonFlags {
  readonly platform: readonly string[];
  readonly policy?: PlatformPolicy;
  readonly referrers: boolean;
  readonly dryRun: boolean;
  readonly format: 'table' | 'json';
  readonly progress: Exclude<ProgressMode, 'quiet'>;
  readonly quiet: boolean;
  /** Of pull and push. */
  readonly insecure?: boolean;
  /** Of copy. */
  readonly srcInsecure?: boolean;
  readonly destInsecure?: boolean;
}

/** What `--help` says of a command that is told nothing. */
export interface ShownDefaults {
  readonly platforms: string;
  readonly policy: string;
}

/** Of push and copy: every digest stays, unless platforms are chosen. */
export const wholeByDefault: ShownDefaults = {
  platforms: 'all',
  policy: 'whole; with --platform single, for several rewrite',
};

/** Declares them. */
export function addTransferFlags(command: Command, defaults: ShownDefaults): Command {
  return command
    .option(
      '--platform <os/arch>',
      `platforms of an index, or all; may be repeated (default: ${defaults.platforms})`,
      collect,
      [],
    )
    .addOption(
      new Option(
        '--policy <policy>',
        `what becomes of an index: whole takes all of it; sparse keeps it, and its digest, with gaps; rewrite makes one of the wanted platforms; single takes one image without it (default: ${defaults.policy})`,
      ).argParser(parsePolicy),
    )
    .option('--referrers', 'take signatures, attestations and other referrers along', false)
    .option(
      '--dry-run',
      'only list what is there, and what would be mounted or uploaded; referrers are not looked for',
      false,
    )
    .addOption(formatOption('how to print what was done; json is a ledger of every part'))
    .addOption(progressOption())
    .option('-q, --quiet', 'show no progress', false);
}

/** `--progress`, as for builds. */
export function progressOption(): Option {
  return new Option('--progress <how>', 'progress on standard error')
    .choices(['auto', 'tty', 'plain', 'rawjson'])
    .default('auto');
}

/** `--compression`. */
export function compressionOption(fallback: 'none' | 'gzip'): Option {
  return new Option(
    '--compression <kind[:level]>',
    'layers that are not compressed yet: none leaves them, gzip[:1-9] or zstd[:1-22]',
  ).default(fallback);
}

/** `--insecure`, for commands that ask one registry. */
export function insecureOption(): Option {
  return insecure('--insecure', 'the registry');
}

/** `--src-insecure` and the like. */
export function insecure(flag: string, which: string): Option {
  return new Option(flag, `allow plain HTTP and certificates that cannot be checked, at ${which}`).default(false);
}

/** The choices are in the description, so they are not listed once more. */
function parsePolicy(text: string): PlatformPolicy {
  const policy = platformPolicies.find((known) => known === text);
  if (policy !== undefined) return policy;
  throw new UsageError(`--policy ${text}: there is no such policy`, {
    hint: `Known are ${platformPolicies.join(', ')}.`,
  });
}

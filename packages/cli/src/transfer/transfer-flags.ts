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

/** Declares them; `platforms` says which platforms are taken when none is named. */
export function addTransferFlags(command: Command, platforms: string): Command {
  return command
    .option(
      '--platform <os/arch>',
      `platforms of an index, or all; may be repeated (default: ${platforms})`,
      collect,
      [],
    )
    .addOption(
      new Option(
        '--policy <policy>',
        'what becomes of an index when not all is taken: kept with all, kept with gaps, rewritten, or replaced by its one image',
      ).choices(platformPolicies),
    )
    .option('--referrers', 'take signatures, attestations and other referrers along', false)
    .option('--dry-run', 'only list what is there, and what would be mounted or uploaded', false)
    .addOption(formatOption())
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

import type { EngineName } from '@boxwright/build';
import { type Command, Option } from 'commander';
import { type CommonFlags, collect, formatOption } from '../commander.ts';
import type { ProgressMode } from '../progress/create-renderer.ts';
import { progressOption } from '../transfer/transfer-flags.ts';

/** What `boxwright deploy` was given, as commander hands it on. */
export interface DeployFlags extends CommonFlags {
  readonly name: readonly string[];
  readonly all: boolean;
  readonly file?: string;
  readonly dryRun: boolean;
  readonly format: 'table' | 'json';
  /** Tags of the deployment, not of images. */
  readonly tag: readonly string[];
  readonly jobVariable: readonly string[];
  readonly keepPlaceholders: boolean;
  /** True: what PREFECT_API_URL says. */
  readonly prefectApi?: string | true;
  readonly registration?: string;
  readonly engine?: EngineName;
  readonly variables?: string;
  readonly insecure: readonly string[];
  readonly progress: Exclude<ProgressMode, 'quiet'>;
  readonly quiet: boolean;
}

/** Declares the flags; those that `prefect deploy` has too mean the same. */
export function addDeployFlags(command: Command): Command {
  return command
    .option('-n, --name <name>', 'another way to name a deployment; may be repeated', collect, [])
    .option('--all', 'every deployment of the file', false)
    .option('-f, --file <path>', 'project file (default: boxwright.yaml, else prefect.yaml)')
    .option('--dry-run', 'only show which steps would run, with what', false)
    .addOption(formatOption('how to print what was done'))
    .addOption(
      new Option('--engine <name>', 'who builds and pushes, whatever the file says (default: embedded)').choices([
        'embedded',
        'docker',
        'buildx',
      ]),
    )
    .option('-t, --tag <tag>', "tag of the deployment, in place of the file's; may be repeated", collect, [])
    .option(
      '-v, --job-variable <name=value>',
      "job variable of the deployment, beside the file's; or JSON; may be repeated",
      collect,
      [],
    )
    .option(
      '--keep-placeholders',
      "leave blocks and variables in the file's job variables to the worker, instead of storing what they hold",
      false,
    )
    .option('--prefect-api [url]', 'register with this Prefect server (default: $PREFECT_API_URL)')
    .option('--registration <file>', 'write what would be registered to a file, as JSON')
    .option('--variables <file>', 'file with variables and blocks (default: boxwright.variables.yaml)')
    .option(
      '--insecure <host>',
      'registry that may be asked over plain HTTP and with any certificate; may be repeated',
      collect,
      [],
    )
    .addOption(progressOption())
    .option('-q, --quiet', 'show no progress, only what a step that fails printed last', false);
}

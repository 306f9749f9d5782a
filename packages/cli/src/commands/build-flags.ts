import type { NetworkMode } from '@boxwright/build';
import { type Command, Option } from 'commander';
import { type CommonFlags, collect, refuseFlag } from '../commander.ts';
import type { ProgressMode } from '../progress/create-renderer.ts';
import { addEngineFlags, type EngineFlags } from './engine-flags.ts';

/** What `boxwright build` was given, as commander hands it on. */
export interface BuildFlags extends CommonFlags, EngineFlags {
  readonly file?: string;
  readonly tag: readonly string[];
  readonly buildArg: readonly string[];
  readonly label: readonly string[];
  readonly annotation: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  /** False with `--no-cache`. */
  readonly cache: boolean;
  /** Of `--no-cache-filter`: commander drops the `no`. */
  readonly cacheFilter: readonly string[];
  readonly secret: readonly string[];
  readonly buildContext: readonly string[];
  readonly output: readonly string[];
  readonly push: boolean;
  readonly pull: boolean;
  readonly network: NetworkMode;
  readonly addHost: readonly string[];
  readonly progress: Exclude<ProgressMode, 'quiet'>;
  readonly quiet: boolean;
  readonly iidfile?: string;
  readonly metadataFile?: string;
}

/** Declares the flags; names and meanings are those of `docker buildx build`. */
export function addBuildFlags(command: Command): Command {
  command
    .option('-f, --file <path>', 'Dockerfile, or - for standard input (default: CONTEXT/Dockerfile)')
    .option('-t, --tag <name>', 'name for the image, with an optional :TAG; may be repeated', collect, [])
    .option('--build-arg <key=value>', 'value of an ARG; without =VALUE taken from the environment', collect, [])
    .option('--label <key=value>', 'label to set on the image', collect, [])
    .option('--annotation <key=value>', "annotation to set on the image's manifest", collect, [])
    .option('--target <stage>', 'stage to build (default: the last one)')
    .option('--platform <os/arch>', 'platform to build for (default: this machine)')
    .option('--no-cache', 'run every step anew')
    .option('--no-cache-filter <stage>', 'run the steps of this stage anew; may be repeated', collect, [])
    .option('--secret <id=..,src=..|env=..>', 'secret for RUN --mount=type=secret', collect, [])
    .option(
      '--build-context <name=place>',
      'further context: a directory, oci-layout://DIR or docker-image://NAME',
      collect,
      [],
    )
    .option(
      '-o, --output <type=..,dest=..>',
      'where the result goes: image, registry, oci, docker, local or tar; or just DIR',
      collect,
      [],
    )
    .option('--push', 'push the image under its names: the same as --output type=registry', false)
    .option('--pull', 'ask registries for the images of FROM also when the local store has them', false)
    .addOption(new Option('--network <mode>', 'network of RUN').choices(['default', 'host', 'none']).default('default'))
    .option('--add-host <host:address>', 'further line for /etc/hosts of RUN', collect, [])
    .addOption(
      new Option('--progress <how>', 'progress on standard error')
        .choices(['auto', 'tty', 'plain', 'rawjson'])
        .default('auto'),
    )
    .option('-q, --quiet', 'print nothing but the image id, and what a step that fails printed last', false)
    .option('--iidfile <file>', 'write the image id to a file')
    .option('--metadata-file <file>', "write the result's metadata to a file, as JSON");
  addEngineFlags(command);
  for (const [flags, hint] of refused) refuseFlag(command, flags, hint);
  return command;
}

/** Flags that scripts for docker may bring along. */
const refused: readonly (readonly [flags: string, hint: string])[] = [
  ['--squash', 'Layers are not squashed; a last stage FROM scratch with one COPY has the same effect.'],
];

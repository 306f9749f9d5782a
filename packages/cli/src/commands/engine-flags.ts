import { homedir } from 'node:os';
import type { BuildxOptions, DockerOptions, EngineName } from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { collect } from '../commander.ts';

/** Flags of `boxwright build` that say who builds, and those that only engines outside of this process understand. */
export interface EngineFlags {
  readonly engine: EngineName;
  readonly builder?: string;
  readonly load: boolean;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly ssh: readonly string[];
  readonly allow: readonly string[];
  readonly attest: readonly string[];
  /** True without a value. */
  readonly provenance?: string | boolean;
  readonly sbom?: string | boolean;
}

/** Declares the flags; names and meanings are those of `docker buildx build`. */
export function addEngineFlags(command: Command): void {
  command
    .addOption(
      new Option('--engine <name>', 'who builds: this program, a Docker Engine, or docker buildx')
        .choices(['embedded', 'docker', 'buildx'])
        .default('embedded'),
    )
    .option('--builder <name>', 'builder of buildx (engine buildx)')
    .option('--load', 'keep a pushed image in the engine, too (engine buildx)', false)
    .option('--cache-from <source>', 'where steps may come from (engines docker and buildx)', collect, [])
    .option('--cache-to <target>', 'where steps are kept (engine buildx)', collect, [])
    .option('--ssh <agent>', 'SSH agent for RUN --mount=type=ssh (engines docker and buildx)', collect, [])
    .option('--allow <entitlement>', 'network.host or security.insecure (engine buildx)', collect, [])
    .option('--attest <attestation>', 'attestation to make (engine buildx)', collect, [])
    .option('--provenance [value]', 'make a provenance attestation (engine buildx)')
    .option('--sbom [value]', 'make an SBOM attestation (engine buildx)');
}

/** Who understands a flag, and what to do without it. */
const belongings: readonly {
  readonly flag: string;
  readonly isGiven: (flags: EngineFlags) => boolean;
  readonly engines: readonly EngineName[];
  readonly hint: string;
}[] = [
  {
    flag: '--load',
    isGiven: ({ load }) => load,
    engines: ['buildx'],
    hint: 'The image is always kept: leave the flag out; --output type=docker,dest=FILE makes an archive for `docker load`.',
  },
  {
    flag: '--cache-from',
    isGiven: ({ cacheFrom }) => cacheFrom.length > 0,
    engines: ['docker', 'buildx'],
    hint: 'The build cache is kept in the local store: leave the flag out.',
  },
  {
    flag: '--cache-to',
    isGiven: ({ cacheTo }) => cacheTo.length > 0,
    engines: ['buildx'],
    hint: 'The build cache is kept where the build is made: leave the flag out.',
  },
  {
    flag: '--ssh',
    isGiven: ({ ssh }) => ssh.length > 0,
    engines: ['docker', 'buildx'],
    hint: 'SSH agents cannot be mounted yet; pass a key with --secret.',
  },
  {
    flag: '--attest',
    isGiven: ({ attest }) => attest.length > 0,
    engines: ['buildx'],
    hint: 'No attestations are made.',
  },
  {
    flag: '--provenance',
    isGiven: ({ provenance }) => !isOff(provenance),
    engines: ['buildx'],
    hint: 'No attestations are made: leave the flag out.',
  },
  {
    flag: '--sbom',
    isGiven: ({ sbom }) => !isOff(sbom),
    engines: ['buildx'],
    hint: 'No attestations are made: leave the flag out.',
  },
  {
    flag: '--allow',
    isGiven: ({ allow }) => allow.length > 0,
    engines: ['buildx'],
    hint: 'There are no entitlements to grant.',
  },
  {
    flag: '--builder',
    isGiven: ({ builder }) => builder !== undefined,
    engines: ['buildx'],
    hint: 'There are no builders to choose from.',
  },
];

/**
 * What the chosen engine is made with.
 *
 * @param platforms several, for buildx
 * @throws UsageError for a flag that this engine does not understand
 */
export function engineOptions(
  flags: EngineFlags,
  { env }: Pick<CommandContext, 'env'>,
  platforms: readonly string[] = [],
): DockerOptions & BuildxOptions {
  for (const { flag, isGiven, engines, hint } of belongings) {
    if (isGiven(flags) && !engines.includes(flags.engine)) {
      throw new UsageError(`the engine ${flags.engine} knows no ${flag}`, {
        hint: `${hint} It belongs to ${engines.map((name) => `--engine ${name}`).join(' and ')}.`,
      });
    }
  }
  const { builder, load, cacheFrom, cacheTo, ssh, allow, attest, provenance, sbom } = flags;
  return {
    env,
    home: env['HOME'] || homedir(),
    ...(builder === undefined ? {} : { builder }),
    ...(load ? { load } : {}),
    cacheFrom,
    cacheTo,
    ssh,
    allow,
    attest,
    platforms,
    ...(isOff(provenance) ? {} : { provenance: String(provenance) }),
    ...(isOff(sbom) ? {} : { sbom: String(sbom) }),
  };
}

/** `--provenance=false` asks for what happens anyway. */
function isOff(value: string | boolean | undefined): boolean {
  return value === undefined || value === false || value === 'false';
}

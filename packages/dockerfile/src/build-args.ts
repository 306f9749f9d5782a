import { expandInstruction } from './expand.ts';
import type { ArgInstruction, Dockerfile } from './instructions.ts';
import type { VariableLookup } from './shell-word.ts';

/**
 * Build arguments that RUN sees without an ARG, in both cases; they are in no history row and in no cache key
 * (https://docs.docker.com/reference/dockerfile/#predefined-args).
 */
export const proxyArgs: readonly string[] = [
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'FTP_PROXY',
  'ftp_proxy',
  'NO_PROXY',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
];

/** Arguments whose value the builder sets in the global scope; a stage sees them after `ARG NAME`. */
export const platformArgs: readonly string[] = [
  'BUILDPLATFORM',
  'BUILDOS',
  'BUILDOSVERSION',
  'BUILDARCH',
  'BUILDVARIANT',
  'TARGETPLATFORM',
  'TARGETOS',
  'TARGETOSVERSION',
  'TARGETARCH',
  'TARGETVARIANT',
  'TARGETSTAGE',
];

/** A platform as far as its arguments need it. */
export interface ArgPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

/** What the values of {@link platformArgs} come from. */
export interface PlatformArgOptions {
  readonly buildPlatform: ArgPlatform;
  readonly targetPlatform: ArgPlatform;
  /** Name of the stage that is built: `--target`, else the last stage's; empty when it has none. */
  readonly targetStage: string;
  /** `--build-arg` replaces a platform argument's value too. */
  readonly buildArgs: ReadonlyMap<string, string>;
}

/** The values of {@link platformArgs}: all are set, some to nothing (`TARGETVARIANT` of linux/amd64). */
export function platformArgValues(options: PlatformArgOptions): Map<string, string> {
  const { buildPlatform: build, targetPlatform: target, buildArgs } = options;
  const values = new Map([
    ['BUILDPLATFORM', formatPlatform(build, false)],
    ['BUILDOS', build.os],
    ['BUILDOSVERSION', build.osVersion ?? ''],
    ['BUILDARCH', build.architecture],
    ['BUILDVARIANT', build.variant ?? ''],
    ['TARGETPLATFORM', formatPlatform(target, true)],
    ['TARGETOS', target.os],
    ['TARGETOSVERSION', target.osVersion ?? ''],
    ['TARGETARCH', target.architecture],
    ['TARGETVARIANT', target.variant ?? ''],
    ['TARGETSTAGE', options.targetStage || 'default'],
  ]);
  for (const name of values.keys()) {
    const value = buildArgs.get(name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function formatPlatform(platform: ArgPlatform, withVersion: boolean): string {
  const os = withVersion && platform.osVersion ? `${platform.os}(${platform.osVersion})` : platform.os;
  return [os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/**
 * The global scope: platform arguments, then each ARG before the first FROM. A build argument beats the default; a default
 * sees what is declared before it; an ARG without either is not set.
 *
 * @throws {DockerfileError} when a default cannot be expanded.
 */
export function resolveMetaArgs(
  dockerfile: Dockerfile,
  options: { readonly buildArgs: ReadonlyMap<string, string>; readonly platformArgs?: ReadonlyMap<string, string> },
): Map<string, string> {
  const scope = new Map(options.platformArgs ?? []);
  for (const instruction of dockerfile.metaArgs) {
    const declared = declare(instruction, (name) => scope.get(name), options.buildArgs, dockerfile);
    for (const { key, value } of declared) if (value !== undefined) scope.set(key, value);
  }
  return scope;
}

/** An ARG of a stage with its value. */
export interface ResolvedArg {
  readonly key: string;
  /** Undefined when there is no build argument, no default and nothing in the global scope. */
  readonly value?: string;
}

/**
 * The names that an ARG inside a stage declares, with their values: the build argument, else the default, else the value
 * of the global scope ({@link resolveMetaArgs}). So a stage's own default beats a platform argument. The names of one ARG
 * are evaluated left to right. A set value becomes a variable of the stage even if an ENV of that name came before, as in
 * BuildKit (the Dockerfile reference says otherwise).
 *
 * @param lookup the stage's variables before this instruction.
 * @throws {DockerfileError} when a default that is needed cannot be expanded.
 */
export function resolveArgs(
  instruction: ArgInstruction,
  options: {
    readonly lookup: VariableLookup;
    readonly buildArgs: ReadonlyMap<string, string>;
    readonly globalArgs: ReadonlyMap<string, string>;
    readonly dockerfile?: Dockerfile;
    readonly onUnset?: (name: string) => void;
  },
): ResolvedArg[] {
  const { lookup, buildArgs, globalArgs } = options;
  return declare(instruction, lookup, buildArgs, options.dockerfile, globalArgs, options.onUnset);
}

function declare(
  instruction: ArgInstruction,
  lookup: VariableLookup,
  buildArgs: ReadonlyMap<string, string>,
  dockerfile?: Dockerfile,
  globalArgs?: ReadonlyMap<string, string>,
  onUnset?: (name: string) => void,
): ResolvedArg[] {
  const seen = new Map<string, string>();
  const options = { ...(dockerfile ? { dockerfile } : {}), ...(onUnset ? { onUnset } : {}) };
  return instruction.args.map((declaration) => {
    const { key } = declaration;
    let value = buildArgs.get(key);
    if (value === undefined && declaration.value !== undefined) {
      // A default that a build argument replaces is not expanded, so it cannot fail.
      const one = { ...instruction, args: [declaration] };
      value = expandInstruction(one, (name) => seen.get(name) ?? lookup(name), options).args[0]?.value;
    }
    value ??= globalArgs?.get(key);
    if (value === undefined) return { key };
    seen.set(key, value);
    return { key, value };
  });
}

import { statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { BuildOutput, BuildRequest } from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { canonicalName, parseReference, withDefaultTag } from '@boxwright/oci';
import type { CommandContext } from '../command-context.ts';
import { parseBuildContext } from '../options/build-context.ts';
import { parseExtraHost } from '../options/extra-host.ts';
import { parseAnnotations, parseBuildArgs, parseLabels, parseSourceDateEpoch } from '../options/key-values.ts';
import { defaultPush, parseOutput, standardOutput } from '../options/output.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { parseSecret } from '../options/secret.ts';
import type { BuildFlags } from './build-flags.ts';

/** A build request before the store and the progress are known. */
export type RequestFromFlags = Omit<BuildRequest, 'store' | 'registries' | 'signal' | 'onEvent' | 'dockerfileText'>;

/**
 * Turns flags into a request; every relative path is resolved, every value checked.
 * @throws UsageError for anything that cannot be meant
 */
export function buildRequest(
  place: string,
  flags: BuildFlags,
  { env, cwd }: Pick<CommandContext, 'env' | 'cwd'>,
): RequestFromFlags {
  const contextDir = contextDirectory(place, flags, cwd);
  const buildArgs = parseBuildArgs(flags.buildArg, env);
  const sourceDateEpoch = parseSourceDateEpoch(buildArgs);
  const parsed = flags.output.map((text) => parseOutput(text, cwd));
  const outputs = withPush(
    parsed.map(({ output }) => output),
    flags.push,
  );
  refuseTwoOnStandardOutput(outputs);
  const names = [...flags.tag, ...parsed.flatMap((output) => output.names)];
  if (names.length === 0 && outputs.some(pushes)) {
    throw new UsageError('an image to push needs a name', { hint: 'Give it one: --tag REGISTRY/NAME:TAG.' });
  }
  return {
    contextDir,
    dockerfilePath: dockerfilePath(flags.file, contextDir, cwd),
    tags: [...new Set(names.map(imageName))],
    ...(flags.target === undefined || flags.target === '' ? {} : { target: flags.target }),
    buildArgs,
    labels: parseLabels(flags.label),
    annotations: parseAnnotations(flags.annotation),
    ...(flags.platform === undefined ? {} : { platform: parsePlatformFlag(flags.platform) }),
    noCache: flags.cache ? stages(flags.cacheFilter) : true,
    secrets: flags.secret.map((text) => parseSecret(text, env, cwd)),
    namedContexts: new Map(flags.buildContext.map((text) => parseBuildContext(text, cwd))),
    network: flags.network,
    extraHosts: flags.addHost.map(parseExtraHost),
    outputs,
    ...(flags.pull ? { pull: true } : {}),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
  };
}

/** `--push` beside an output that pushes already asks for nothing more. */
function withPush(outputs: readonly BuildOutput[], push: boolean): readonly BuildOutput[] {
  return push && !outputs.some(pushes) ? [...outputs, { type: 'image', push: defaultPush }] : outputs;
}

function pushes(output: BuildOutput): boolean {
  return output.type === 'image' && output.push !== undefined;
}

/** True when an output goes to standard output, which then holds nothing else. */
export function usesStandardOutput(outputs: readonly BuildOutput[]): boolean {
  return outputs.some((output) => 'dest' in output && output.dest === standardOutput);
}

function contextDirectory(place: string, flags: BuildFlags, cwd: string): string {
  const hint = 'Give a directory, for example `boxwright build .`';
  if (place === '-') {
    const fromStdin =
      flags.file === '-' ? 'the Dockerfile comes from there already' : 'for a Dockerfile alone use -f -';
    throw new UsageError(`a context on standard input is not supported: ${fromStdin}`, { hint });
  }
  if (
    /^(?:https?|git|ssh|github\.com)\b.*[/@:]/.test(place) &&
    statSync(resolve(cwd, place), { throwIfNoEntry: false }) === undefined
  ) {
    throw new UsageError(`context ${place}: git repositories and URLs are not supported`, {
      hint: 'Fetch it first and give the directory.',
    });
  }
  const path = resolve(cwd, place);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`context ${path} does not exist`, { hint });
  if (!stats.isDirectory()) {
    throw new UsageError(`context ${path} is not a directory`, {
      hint: 'Unpack an archive first and give the directory.',
    });
  }
  return path;
}

/**
 * Relative to the working directory, as with docker; `-` stays. It is shown in every message about the file, so it is
 * as short as it can be: relative where it is below the working directory.
 */
function dockerfilePath(file: string | undefined, contextDir: string, cwd: string): string {
  if (file === '-') return file;
  const path = file === undefined || file === '' ? join(contextDir, 'Dockerfile') : resolve(cwd, file);
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}

function imageName(text: string): string {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined) {
    throw new UsageError(`--tag ${text}: a name to build cannot have a digest`, {
      hint: 'Leave out everything from @ on.',
    });
  }
  return canonicalName(reference);
}

/** `--no-cache-filter a,b` and repeated; none of them means that the cache is used. */
function stages(filters: readonly string[]): false | readonly string[] {
  const names = filters.flatMap((filter) => filter.split(',')).filter((name) => name !== '');
  return names.length === 0 ? false : names;
}

function refuseTwoOnStandardOutput(outputs: readonly BuildOutput[]): void {
  if (outputs.filter((output) => usesStandardOutput([output])).length > 1) {
    throw new UsageError('only one --output can go to standard output', { hint: 'Give the others a dest=FILE.' });
  }
}

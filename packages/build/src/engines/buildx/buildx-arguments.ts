import { resolve } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { formatPlatform } from '@boxwright/oci';
import type { BuildOutput, BuildRequest, NamedContext } from '../../engine/engine.ts';
import { csvPairs } from '../csv.ts';
import type { BuildxOptions } from './buildx-options.ts';

/** Files that a call of buildx reads and writes. */
export interface BuildxFiles {
  readonly metadata: string;
  /** Value of `--secret` by id. */
  readonly secrets: ReadonlyMap<string, string>;
}

/**
 * The words after `docker`. Nothing of them is read by a shell.
 *
 * @throws BoxwrightError ENGINE_UNSUPPORTED for what would be taken for a flag
 */
export function buildxArguments(request: BuildRequest, options: BuildxOptions, files: BuildxFiles): readonly string[] {
  const args: string[] = ['buildx', 'build', '--progress=rawjson', `--metadata-file=${files.metadata}`];
  const flag = (name: string, ...values: readonly (string | undefined)[]): void => {
    for (const value of values) if (value !== undefined) args.push(`--${name}=${value}`);
  };
  flag('builder', options.builder);
  flag('file', request.dockerfileText === undefined ? resolve(request.dockerfilePath) : '-');
  flag('tag', ...request.tags);
  flag('target', request.target);
  flag('platform', platforms(request, options));
  flag('build-arg', ...pairs(request.buildArgs));
  flag('label', ...pairs(request.labels));
  flag('annotation', ...pairs(request.annotations ?? new Map()));
  if (request.noCache === true) args.push('--no-cache');
  else if (request.noCache !== false) flag('no-cache-filter', ...request.noCache);
  if (request.pull === true) args.push('--pull');
  flag('secret', ...files.secrets.values());
  flag('build-context', ...[...request.namedContexts].map(([name, context]) => `${name}=${placeOf(context)}`));
  if (request.network !== 'default') flag('network', request.network);
  flag('add-host', ...request.extraHosts.map(({ host, address }) => `${host}:${address}`));
  flag('cache-from', ...(options.cacheFrom ?? []));
  flag('cache-to', ...(options.cacheTo ?? []));
  flag('ssh', ...(options.ssh ?? []));
  flag('shm-size', options.shmSize?.toString());
  flag('ulimit', ...(options.ulimits ?? []));
  flag('cgroup-parent', options.cgroupParent);
  flag('provenance', options.provenance);
  flag('sbom', options.sbom);
  flag('attest', ...(options.attest ?? []));
  flag('allow', ...(options.allow ?? []));
  args.push(...outputArguments(request, options));
  return [...args, '--', contextOf(request)];
}

/** True when attestations are wanted: buildx makes one by default. */
export function wantsAttestations({ provenance, sbom, attest = [] }: BuildxOptions): boolean {
  return provenance !== undefined || sbom !== undefined || attest.length > 0;
}

/** True when the engine is to keep the image, whatever the builder's driver is: one that goes nowhere else. */
export function keepsImage(
  { outputs }: Pick<BuildRequest, 'outputs'>,
  { load, rawOutputs = [] }: Pick<BuildxOptions, 'load' | 'rawOutputs'>,
): boolean {
  return load ?? (rawOutputs.length === 0 && outputs.every((output) => !holdsImage(output)));
}

/** True when the image is pushed. */
export function pushes(request: BuildRequest): boolean {
  return request.outputs.some((output) => output.type === 'image' && output.push !== undefined);
}

function contextOf({ contextDir }: BuildRequest): string {
  // buildx would read it as the standard input, or fetch it.
  if (contextDir === '-' || contextDir.includes('://')) {
    throw new BoxwrightError('ENGINE_UNSUPPORTED', `the build context has to be a directory, not ${contextDir}`, {
      hint: 'give the path of a directory',
    });
  }
  return contextDir;
}

function outputArguments({ outputs }: BuildRequest, options: BuildxOptions): readonly string[] {
  const raw = (options.rawOutputs ?? []).map((output) => `--output=${output}`);
  const written = outputs.map(outputArgument);
  return [
    ...(keepsImage({ outputs }, options) ? ['--load'] : []),
    ...written.filter((text) => text !== undefined),
    ...raw,
  ];
}

/** Images that come back with an id. Files alone would leave no image behind. */
function holdsImage(output: BuildOutput): boolean {
  return output.type === 'oci' || output.type === 'docker' || (output.type === 'image' && output.push !== undefined);
}

function outputArgument(output: BuildOutput): string | undefined {
  switch (output.type) {
    case 'image': {
      if (output.push === undefined) return undefined;
      const { compression } = output.push;
      if (compression === undefined || (compression.compression === 'gzip' && compression.level === undefined)) {
        return '--push';
      }
      const level = compression.level?.toString();
      return `--output=${csvPairs([
        ['type', 'registry'],
        ['compression', compression.compression],
        ['compression-level', level],
      ])}`;
    }
    case 'oci':
      return `--output=${csvPairs([
        ['type', 'oci'],
        ['dest', output.dest],
        ['tar', output.tar ? undefined : 'false'],
      ])}`;
    case 'docker':
    case 'local':
    case 'tar':
      return `--output=${csvPairs([
        ['type', output.type],
        ['dest', output.dest],
      ])}`;
    default:
      return output satisfies never;
  }
}

function placeOf(context: NamedContext): string {
  switch (context.kind) {
    case 'directory':
      return context.path;
    case 'oci-layout': {
      const { path, tag, digest } = context;
      return `oci-layout://${path}${digest === undefined ? (tag === undefined ? '' : `:${tag}`) : `@${digest}`}`;
    }
    case 'image':
      return `docker-image://${context.reference}`;
    default:
      return context satisfies never;
  }
}

function platforms(request: BuildRequest, options: BuildxOptions): string | undefined {
  if (options.platforms !== undefined && options.platforms.length > 0) return options.platforms.join(',');
  return request.platform === undefined ? undefined : formatPlatform(request.platform);
}

function pairs(values: ReadonlyMap<string, string>): readonly string[] {
  return [...values].map(([key, value]) => `${key}=${value}`);
}

import { join, relative } from 'node:path';
import type { EngineName } from '@boxwright/build';
import { BoxwrightError } from '@boxwright/errors';
import { type Platform, parsePlatform } from '@boxwright/oci';
import type { BuildDockerImageOptions } from './build-docker-image-options.ts';
import type { StepBuildRequest } from './engines/step-engine.ts';

/** A build before its tags are known. */
export interface PlannedBuild {
  readonly engineName: EngineName;
  readonly request: Omit<StepBuildRequest, 'tags' | 'signal' | 'onEvent'>;
  readonly timeoutSeconds: number | undefined;
}

/** What is known beside the options. */
export interface BuildSurroundings {
  /** Absolute. */
  readonly contextDir: string;
  /** Absolute path of what `dockerfile: auto` stands for. */
  readonly generated: string | undefined;
  readonly engineName: EngineName;
  /** Build arguments for the proxies of the user. */
  readonly proxyArgs: ReadonlyMap<string, string>;
}

/** Turns what a step says into a request. @throws BoxwrightError PLATFORM_INVALID, STEP_INPUT_INVALID */
export function planStepBuild(options: BuildDockerImageOptions, surroundings: BuildSurroundings): PlannedBuild {
  const { contextDir, generated, engineName, proxyArgs } = surroundings;
  const { platforms = [] } = options;
  const platform = onePlatform(options);
  return {
    engineName,
    timeoutSeconds: options.timeoutSeconds,
    request: {
      contextDir,
      dockerfilePath: generated ?? dockerfilePath(contextDir, options.dockerfile),
      pull: options.pull ?? true,
      ...(options.target === undefined ? {} : { target: options.target }),
      buildArgs: new Map([...proxyArgs, ...(options.buildArgs ?? [])]),
      labels: options.labels ?? new Map(),
      ...(platform === undefined ? {} : { platform }),
      noCache: options.noCache ?? false,
      secrets: options.secrets ?? [],
      namedContexts: options.buildContexts ?? new Map(),
      network: options.network ?? 'default',
      extraHosts: [...(options.extraHosts ?? [])].map(([host, address]) => ({ host, address })),
      push: options.push ?? false,
      extras: {
        cacheFrom: options.cacheFrom,
        cacheTo: options.cacheTo,
        ssh: options.ssh,
        platforms: platforms.length > 1 ? platforms : undefined,
        builder: options.builder,
        shmSize: options.shmSize,
      },
    },
  };
}

/** The platform, where there is one and not several. @throws BoxwrightError PLATFORM_INVALID, STEP_INPUT_INVALID */
export function onePlatform({ platforms = [], push = false }: BuildDockerImageOptions): Platform | undefined {
  const [platform, ...others] = platforms.map(parsePlatform);
  if (others.length === 0) return platform;
  if (push) return undefined;
  throw new BoxwrightError(
    'STEP_INPUT_INVALID',
    'an image for several platforms has to be pushed with its build: engines keep it for one only',
    { hint: "Add 'push: true' to the build step, or give one platform.", details: { input: 'platforms' } },
  );
}

/** As short as it can be: it is shown in every message about the file. */
function dockerfilePath(contextDir: string, dockerfile = 'Dockerfile'): string {
  const path = join(contextDir, dockerfile);
  const absolute = dockerfile.startsWith('/') ? dockerfile : path;
  const short = relative(process.cwd(), absolute);
  return short.startsWith('..') || short === '' ? absolute : short;
}

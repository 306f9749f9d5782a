import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { contextDigest } from '@boxwright/build';
import type { PlainValue } from '../yaml/index.ts';
import type { StepImage } from './image-name.ts';
import type { PlannedBuild } from './plan-step-build.ts';
import { cacheKey } from './step-cache.ts';
import type { StepContext } from './step-context.ts';

/** Keys of a build step. */
export interface BuildKeys {
  /** Of all that the image is made of. */
  readonly content: string;
  /** With its names. */
  readonly step: string;
}

/**
 * What a build step's result depends on: engine, context, Dockerfile, arguments. Secrets count by name only: what they
 * hold is in no key.
 */
export async function buildKey(planned: PlannedBuild, image: StepImage, context: StepContext): Promise<BuildKeys> {
  const { engineName, request } = planned;
  const { contextDir, dockerfilePath, namedContexts, platform, extras } = request;
  const contexts: Record<string, PlainValue> = { '': await digest(contextDir, dockerfilePath, context) };
  for (const [name, named] of namedContexts) {
    contexts[`=${name}`] =
      named.kind === 'directory' ? await digest(named.path, undefined, context) : JSON.stringify(named);
  }
  const parts: Readonly<Record<string, PlainValue | ReadonlyMap<string, PlainValue> | undefined>> = {
    engine: engineName,
    host: engineName === 'embedded' ? null : (context.env['DOCKER_HOST'] ?? null),
    contexts,
    dockerfile: textDigest(dockerfilePath),
    ignore: textDigest(`${dockerfilePath}.dockerignore`),
    buildArgs: request.buildArgs,
    labels: request.labels,
    platform: platform === undefined ? null : [platform.os, platform.architecture, platform.variant ?? ''],
    target: request.target ?? null,
    pull: request.pull ?? false,
    noCache: request.noCache,
    network: request.network,
    hosts: request.extraHosts.map(({ host, address }) => `${host}:${address}`),
    secrets: request.secrets.map(({ id }) => id),
    push: request.push,
    extras: JSON.stringify(extras),
  };
  const content = cacheKey('build', parts);
  const step = cacheKey('build', { ...parts, name: image.name, tag: image.tag, additionalTags: image.additionalTags });
  return { content, step };
}

/** Of one directory; asked for again only after something may have changed files. */
async function digest(directory: string, dockerfile: string | undefined, context: StepContext): Promise<string> {
  const { cache, signal } = context;
  // By what the ignore file says: automatic Dockerfiles have a new name each time.
  const ignore = dockerfile === undefined ? '' : textDigest(`${dockerfile}.dockerignore`);
  return await cache.reading(`context ${directory}\0${ignore}`, () =>
    contextDigest({ contextDir: directory, dockerfilePath: dockerfile, store: context.store(), signal }),
  );
}

/** What is not there, or cannot be read, is the engine's to tell. */
function textDigest(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return 'unreadable';
  }
}

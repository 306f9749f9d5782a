import { readFileSync } from 'node:fs';
import { parseDockerfile, resolveMetaArgs, selectStages } from '@boxwright/dockerfile';
import { canonicalName, parseReference, withDefaultTag } from '@boxwright/oci';
import type { BuildRequest } from '../engine/engine.ts';

/** Whole names of what a build makes. @throws BoxwrightError REFERENCE_INVALID, before anything is built */
export function imageNames(request: BuildRequest): readonly string[] {
  return request.tags.map((tag) => canonicalName(withDefaultTag(parseReference(tag))));
}

/**
 * Registries that a build may have to log in to: of its names and of the images that it starts from. What cannot be read
 * here, the builder complains about.
 */
export function imageRegistries(request: BuildRequest): ReadonlySet<string> {
  const registries = new Set(request.tags.flatMap(registryOf));
  for (const context of request.namedContexts.values()) {
    if (context.kind === 'image') for (const registry of registryOf(context.reference)) registries.add(registry);
  }
  for (const reference of baseImages(request)) for (const registry of registryOf(reference)) registries.add(registry);
  return registries;
}

function baseImages(request: BuildRequest): readonly string[] {
  try {
    const dockerfile = parseDockerfile(request.dockerfileText ?? readFileSync(request.dockerfilePath), {
      file: request.dockerfilePath,
    });
    const metaArgs = resolveMetaArgs(dockerfile, { buildArgs: request.buildArgs });
    const { stages } = selectStages(dockerfile, { metaArgs, all: true });
    return stages
      .flatMap(({ base, sources }) => [base, ...[...sources.values()].flat()])
      .flatMap((source) => (source?.kind === 'image' ? [source.reference] : []));
  } catch {
    return [];
  }
}

function registryOf(reference: string): string[] {
  try {
    return [parseReference(reference).domain];
  } catch {
    return [];
  }
}

import { createEmbeddedEngine } from '../engine/embedded.ts';
import type { BuildEngine } from '../engine/engine.ts';
import type { BuildxOptions } from './buildx/buildx-options.ts';
import type { DockerOptions } from './docker/docker-options.ts';

/** The engines by name. */
export type EngineName = BuildEngine['name'];

/** All names, the default first. */
export const engineNames: readonly EngineName[] = ['embedded', 'docker', 'buildx'];

/** An engine by its name. The embedded one takes no options. */
export function createEngine(name: EngineName, options: DockerOptions & BuildxOptions): BuildEngine {
  switch (name) {
    case 'embedded':
      return createEmbeddedEngine();
    case 'docker':
      return createDockerEngine(options);
    case 'buildx':
      return createBuildxEngine(options);
    default:
      return name satisfies never;
  }
}

/**
 * The engine that has a Docker Engine build, by its API: no docker command is needed. Images stay in that engine; what
 * an output asks for is fetched from there, or pushed by it. Its code is loaded with the first build.
 */
export function createDockerEngine(options: DockerOptions): BuildEngine {
  return {
    name: 'docker',
    build: async (request) => (await import('./docker/docker-build.ts')).dockerBuild(request, options),
  };
}

/**
 * The engine that calls `docker buildx build`: BuildKit in a Docker Engine, in a container, in Kubernetes or elsewhere.
 * Images stay in the engine that the docker command talks to, or go where an output says. Its code is loaded with the
 * first build.
 */
export function createBuildxEngine(options: BuildxOptions): BuildEngine {
  return {
    name: 'buildx',
    build: async (request) => (await import('./buildx/buildx-build.ts')).buildxBuild(request, options),
  };
}

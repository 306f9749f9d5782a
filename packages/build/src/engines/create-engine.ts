import { createEmbeddedEngine } from '../engine/embedded.ts';
import type { BuildEngine } from '../engine/engine.ts';
import type { BuildxOptions } from './buildx/buildx-options.ts';
import type { DockerOptions } from './docker/docker-options.ts';

/** The engines by name. */
export type EngineName = BuildEngine['name'];

/** All names, the default first. */
export const engineNames: readonly EngineName[] = ['embedded', 'docker', 'buildx'];

/** An engine by its name; code of the others is not loaded. The embedded one takes no options. */
export async function createEngine(name: EngineName, options: DockerOptions & BuildxOptions): Promise<BuildEngine> {
  switch (name) {
    case 'embedded':
      return createEmbeddedEngine();
    case 'docker':
      return (await import('./docker/create-docker-engine.ts')).createDockerEngine(options);
    case 'buildx':
      return (await import('./buildx/create-buildx-engine.ts')).createBuildxEngine(options);
    default:
      return name satisfies never;
  }
}

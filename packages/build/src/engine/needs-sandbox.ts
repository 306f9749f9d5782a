import { hostPlatform } from '@boxwright/oci';
import { planBuild } from '../plan/planner.ts';
import { loadDockerfile } from './dockerfile-source.ts';
import type { BuildRequest } from './engine.ts';
import { StoreImages } from './store-images.ts';

/**
 * True when a build has a RUN in a stage that its target needs: it then wants root or a user namespace. Everything else
 * is done on metadata and needs no privilege.
 *
 * @throws what planning the build throws
 */
export async function needsSandbox(request: BuildRequest): Promise<boolean> {
  const { dockerfile } = loadDockerfile(request);
  const plan = await planBuild(dockerfile, {
    request,
    buildPlatform: hostPlatform(),
    targetPlatform: request.platform ?? hostPlatform(),
    images: new StoreImages(request),
  });
  return plan.stages.some(({ steps }) => steps.some(({ operation }) => operation.kind === 'run'));
}

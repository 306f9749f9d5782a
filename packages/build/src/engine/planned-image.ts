import { parseDockerfile } from '@boxwright/dockerfile';
import { hostPlatform, type ImageConfig, type Platform, parseImageConfig } from '@boxwright/oci';
import { configDocument } from '../commit/commit-image.ts';
import { planBuild } from '../plan/planner.ts';
import type { BuildRequest, NamedContext } from './engine.ts';
import { stateOf } from './store-images.ts';

/** What is planned: a Dockerfile whose images are given, so that neither a store nor a context is needed. */
export interface PlannedImageRequest extends Partial<Pick<BuildRequest, 'buildArgs' | 'labels' | 'target'>> {
  readonly dockerfileText: string;
  readonly platform: Platform;
  /** Names of `--from` that stand for directories: nothing is read from them. */
  readonly contexts?: readonly string[];
  /** The config of the image that a name of FROM or `--from` stands for. */
  readonly image: (name: string) => ImageConfig;
}

/**
 * The config that a Dockerfile gives, with nothing run and nothing copied: settings and the texts of all history rows are
 * those that a build has, layers there are none. What instructions cost nothing to know is known this way in milliseconds.
 *
 * @throws BoxwrightError, DockerfileError as parsing and planning do
 */
export async function plannedImage(request: PlannedImageRequest): Promise<ImageConfig> {
  const dockerfile = parseDockerfile(request.dockerfileText);
  const { platform, target, contexts = [], image } = request;
  const plan = await planBuild(dockerfile, {
    request: {
      buildArgs: request.buildArgs ?? new Map<string, string>(),
      labels: request.labels ?? new Map<string, string>(),
      noCache: true,
      namedContexts: new Map(contexts.map((name): [string, NamedContext] => [name, { kind: 'directory', path: '/' }])),
      network: 'default',
      extraHosts: [],
      ...(target === undefined ? {} : { target }),
    },
    buildPlatform: hostPlatform(),
    targetPlatform: platform,
    images: {
      resolve: async (named, wanted) => {
        const name = typeof named === 'string' ? named : named.kind === 'image' ? named.reference : named.path;
        return { name, state: stateOf(image(name), wanted), layers: [] };
      },
    },
  });
  const state = plan.stages[plan.target]?.image;
  if (state === undefined) throw new TypeError('a plan without its target');
  return parseImageConfig(configDocument(state, state.history, []));
}

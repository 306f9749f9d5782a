import { type LintWarning, parseDockerfile } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import { digestOf, type Platform } from '@boxwright/oci';
import type { NamedContext } from '../../engine/engine.ts';
import type { BaseImage, BaseImages } from '../base-image.ts';
import { type ContainerSettings, emptyImageState, type HistoryRow } from '../image-state.ts';
import type { Plan, PlannedStage } from '../plan.ts';
import { type PlanRequest, planBuild } from '../planner.ts';

export const LINUX_AMD64: Platform = { os: 'linux', architecture: 'amd64' };

/** Images by the name that FROM gives; counts how often each is asked for. */
export class FakeImages implements BaseImages {
  readonly asked: string[] = [];
  readonly platforms: Platform[] = [];
  readonly #images: ReadonlyMap<string, BaseImage>;

  constructor(images: Readonly<Record<string, Partial<ContainerSettings>>> = {}) {
    this.#images = new Map(Object.entries(images).map(([name, settings]) => [name, fakeImage(name, settings)]));
  }

  async resolve(name: string | NamedContext, platform: Platform): Promise<BaseImage> {
    const key = typeof name === 'string' ? name : name.kind === 'image' ? name.reference : name.path;
    this.asked.push(key);
    this.platforms.push(platform);
    const image = this.#images.get(key);
    if (image === undefined)
      throw new BoxwrightError('IMAGE_NOT_FOUND', `image ${key} is not here`, { hint: 'load it' });
    return image;
  }
}

const LAYER = digestOf('a layer');
const BASE_ROW: HistoryRow = { createdBy: 'base', emptyLayer: false, created: '2024-01-01T00:00:00Z' };

/** An image of one layer and one history row. */
function fakeImage(name: string, settings: Partial<ContainerSettings>): BaseImage {
  const empty = emptyImageState(LINUX_AMD64);
  return {
    name,
    state: { ...empty, settings: { ...empty.settings, env: [], workingDir: '', ...settings }, history: [BASE_ROW] },
    layers: [
      { descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: LAYER, size: 10 }, diffId: LAYER },
    ],
  };
}

/** What a test may ask of the planner; everything has a default. */
export interface PlanTextOptions extends Partial<PlanRequest> {
  readonly images?: FakeImages;
  readonly targetPlatform?: Platform;
  readonly onWarning?: (warning: LintWarning) => void;
}

/** Plans a Dockerfile given as text, called `Dockerfile` in messages. */
export async function planText(text: string, options: PlanTextOptions = {}): Promise<Plan> {
  const { images = new FakeImages({ 'base:1': {} }), targetPlatform = LINUX_AMD64, onWarning, ...request } = options;
  return planBuild(parseDockerfile(text, { file: 'Dockerfile' }), {
    request: {
      buildArgs: new Map(),
      labels: new Map(),
      noCache: false,
      namedContexts: new Map(),
      network: 'default',
      extraHosts: [],
      ...request,
    },
    buildPlatform: LINUX_AMD64,
    targetPlatform,
    images,
    ...(onWarning === undefined ? {} : { onWarning }),
  });
}

/** The stage that is exported. */
export async function targetOf(text: string, options: PlanTextOptions = {}): Promise<PlannedStage> {
  const { stages, target } = await planText(text, options);
  const stage = stages[target];
  if (stage === undefined) throw new Error('the plan has no target');
  return stage;
}

/** `created_by` of every row, those of the base image included. */
export async function rowsOf(text: string, options: PlanTextOptions = {}): Promise<readonly string[]> {
  return (await targetOf(text, options)).image.history.map(({ createdBy }) => createdBy);
}

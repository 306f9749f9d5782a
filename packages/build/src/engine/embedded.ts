import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { hostPlatform, Limiter } from '@boxwright/oci';
import { type CommittedImage, commitImage, layerDescriptor } from '../commit/commit-image.ts';
import { completeOutputs } from '../commit/outputs.ts';
import { Layer } from '../layers/layer.ts';
import { LayerUsers } from '../layers/layer-users.ts';
import { overlayNamespace } from '../layers/overlay-namespace.ts';
import type { BaseLayer } from '../plan/base-image.ts';
import type { Plan } from '../plan/plan.ts';
import { locateError, planBuild } from '../plan/planner.ts';
import { checkContextDirectory } from '../source/directory-tree.ts';
import { BuildTasks } from '../workers/tasks.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import { BuildWarnings } from './build-warnings.ts';
import { CopyStep, mirrorOperation } from './copy-step.ts';
import { loadDockerfile } from './dockerfile-source.ts';
import type { BuildRequest, EmbeddedEngine, StoredBuildResult } from './engine.ts';
import type { FinishedStep } from './finished-step.ts';
import { freshSteps } from './fresh-steps.ts';
import { buildMetadata } from './metadata.ts';
import { ProgressReporter, reportFailure, type StepProgress, wasShown } from './progress.ts';
import type { BuildSession } from './session.ts';
import { StageRun } from './stage-run.ts';
import { StoreImages } from './store-images.ts';

/** Commands that run at the same time at most: enough to overlap waiting, few enough for a small machine's memory. */
const MAX_RUNS = 16;

/** The engine of this package: no daemon, no other builder. RUN needs Linux and namespaces, everything else only files. */
export function createEmbeddedEngine(): EmbeddedEngine {
  return { name: 'embedded', build };
}

async function build(request: BuildRequest): Promise<StoredBuildResult> {
  const reporter = new ProgressReporter(request.onEvent);
  checkContextDirectory(request.contextDir);
  const source = await reporter.during(`[internal] load build definition from ${request.dockerfilePath}`, () =>
    loadDockerfile(request),
  );
  const targetPlatform = request.platform ?? hostPlatform();
  const warnings = new BuildWarnings(source.dockerfile, reporter);
  const images = new StoreImages(request, reporter);
  const plan = await planBuild(source.dockerfile, {
    request,
    buildPlatform: hostPlatform(),
    targetPlatform,
    images,
    onWarning: warnings.add,
  });
  warnings.report();
  const pool = new WorkerPool(request.store.root);
  const abort = new AbortController();
  const signal = request.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, request.signal]);
  const atEnd: (() => Promise<void>)[] = [];
  const running = new Map<string, Promise<FinishedStep>>();
  const inline = new BuildTasks(request.store);
  const stages: StageRun[] = [];
  const session: BuildSession = {
    request: { ...request, contextDir: realpathSync(request.contextDir) },
    store: request.store,
    pool,
    inline,
    overlay: overlayNamespace(),
    ignoreText: source.ignoreText,
    runs: new Limiter(MAX_RUNS),
    signal,
    atEnd,
    once(key, work) {
      const known = running.get(key) ?? work();
      running.set(key, known);
      return known;
    },
    fail(error, step) {
      // What a step below has shown (its FROM, say) did not happen at this one.
      const located = wasShown(error) ? error : locateError(error, source.dockerfile, step.origin);
      abort.abort(located);
      return located;
    },
    stageLayers: async (stage) => (await stageAt(stages, stage).state()).layers,
    stageKey: (stage) => stageAt(stages, stage).key(),
  };
  const progress = announce(reporter, plan);
  const freshness = freshSteps(plan);
  for (const [at, stage] of plan.stages.entries()) {
    stages.push(
      new StageRun(session, stage, progress[at]?.steps ?? [], freshness[at], () =>
        baseState(session, plan, at, stages, images, progress[at]?.from),
      ),
    );
  }
  try {
    const target = stageAt(stages, plan.target);
    // Whichever step fails first ends the build, also one that the target would have waited for last.
    await Promise.race([target.finished(), aborted(signal)]);
    const image = await reporter.during('exporting to image', async (step) => {
      const committed = await exportImage(session, plan, stages, step);
      return { ...committed, pushed: await completeOutputs(session, committed, step) };
    });
    return {
      imageId: image.imageId,
      digest: (image.pushed ?? image.manifest).digest,
      manifest: image.manifest,
      tags: request.tags,
      metadata: buildMetadata(request, image, image.pushed),
    };
  } catch (error) {
    abort.abort(error);
    throw error;
  } finally {
    await Promise.allSettled([...running.values()]);
    await Promise.allSettled(atEnd.map((work) => work()));
    await pool.close();
  }
}

/** Rejects with the signal's reason when it is aborted, and never settles otherwise. */
async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

function stageAt(stages: readonly StageRun[], index: number): StageRun {
  const stage = stages[index];
  if (stage === undefined) throw new RangeError(`no stage ${index}`);
  return stage;
}

/** How a stage is shown: its FROM and one entry per step. */
interface StageProgress {
  readonly from: StepProgress | undefined;
  readonly steps: readonly StepProgress[];
}

/** Announces every step that is going to happen, numbered within its stage as buildx does. */
function announce(reporter: ProgressReporter, plan: Plan): readonly StageProgress[] {
  const last = new Map<number, string>();
  return plan.stages.map((stage, index) => {
    const { base, steps, displayName } = stage;
    const from = base.kind === 'image' || base.kind === 'named-directory' ? 1 : 0;
    const total = steps.length + from;
    const width = String(total).length;
    const name = (position: number, text: string): string =>
      total === 0 || (steps.length === 0 && displayName === '')
        ? text
        : `[${displayName === '' ? '' : `${displayName} `}${String(position).padStart(width)}/${total}] ${text}`;
    const shownFrom =
      from === 0
        ? undefined
        : reporter.step(
            name(1, `FROM ${base.kind === 'image' ? base.name : base.kind === 'named-directory' ? base.path : ''}`),
          );
    let before = shownFrom?.id ?? (base.kind === 'stage' ? last.get(base.stage) : undefined);
    const shown = steps.map((step, at) => {
      const progress = reporter.step(
        name(at + 1 + from, `${step.onBuild ? 'ONBUILD ' : ''}${step.label}`),
        before === undefined ? [] : [before],
      );
      before = progress.id;
      return progress;
    });
    if (before !== undefined) last.set(index, before);
    return { from: shownFrom, steps: shown };
  });
}

/** The file system a stage starts with. */
async function baseState(
  session: BuildSession,
  plan: Plan,
  index: number,
  stages: readonly StageRun[],
  images: StoreImages,
  from: StepProgress | undefined,
): Promise<{ readonly layers: readonly Layer[]; readonly users: LayerUsers }> {
  const base = plan.stages[index]?.base ?? { kind: 'scratch' };
  switch (base.kind) {
    case 'scratch':
      return { layers: [], users: LayerUsers.of([]) };
    case 'stage':
      return stageAt(stages, base.stage).state();
    case 'image': {
      await bringLayers(session, images, base.layers, from);
      const layers = base.layers.map(({ descriptor, diffId }) => imageLayer(session, { descriptor, diffId }));
      return { layers, users: LayerUsers.of(layers) };
    }
    case 'named-directory': {
      from?.started();
      const step = new CopyStep(session, mirrorOperation({ kind: 'named-directory', path: base.path }, '/'));
      const layers = [new Layer(session, Promise.resolve(await step.write([])))];
      from?.completed();
      return { layers, users: LayerUsers.of(layers) };
    }
    default:
      return base satisfies never;
  }
}

/** Layers that are in the store already count as cached. */
async function bringLayers(
  session: BuildSession,
  images: StoreImages,
  layers: readonly BaseLayer[],
  from: StepProgress | undefined,
): Promise<void> {
  const bringing = images.bring(layers, from, session.signal);
  // Whatever ends the build first: nothing is written to the store any more when it is over.
  session.atEnd.push(() => bringing.then(() => {}));
  try {
    if (await bringing) from?.completed();
    else from?.cached();
  } catch (error) {
    reportFailure(from, error);
    throw error;
  }
}

function imageLayer(session: BuildSession, { descriptor, diffId }: BaseLayer): Layer {
  const written = Promise.resolve({ diffId, size: descriptor.size });
  return new Layer(session, written, () => session.store.layerTar(descriptor, diffId, session.signal));
}

/** Writes config and manifest of the target. */
async function exportImage(
  session: BuildSession,
  plan: Plan,
  stages: readonly StageRun[],
  step: StepProgress,
): Promise<CommittedImage> {
  const stage = plan.stages[plan.target];
  if (stage === undefined) throw new RangeError('the plan has no target');
  const { layers: all } = await stageAt(stages, plan.target).state();
  const inherited = baseLayers(plan, plan.target);
  const own = await Promise.all(all.slice(inherited.length).map((layer) => layer.written()));
  const layers = [...inherited, ...own.map(({ diffId, size }) => layerDescriptor(diffId, size))];
  const created = await rowTimes(plan, stages, plan.target);
  const annotations = session.request.annotations ?? new Map<string, string>();
  const image = commitImage(session.store, { state: stage.image, created, layers, annotations });
  step.status(`writing image ${image.imageId}`, layers.length, layers.length, 'files', true);
  return image;
}

/** When the layer of each history row was made; a stage built on another one has its rows too, at the same places. */
async function rowTimes(plan: Plan, stages: readonly StageRun[], index: number): Promise<ReadonlyMap<number, string>> {
  const stage = plan.stages[index];
  if (stage === undefined) return new Map();
  const times = new Map(stage.base.kind === 'stage' ? await rowTimes(plan, stages, stage.base.stage) : []);
  const finished = await stageAt(stages, index).finished();
  for (const [at, { row }] of stage.steps.entries()) {
    const made = finished[at];
    if (made !== undefined) times.set(row, made.created);
  }
  return times;
}

/** Layers of the image at the bottom of a stage: they keep the blobs they came with. */
function baseLayers(plan: Plan, index: number): readonly BaseLayer[] {
  const base = plan.stages[index]?.base;
  return base?.kind === 'image' ? base.layers : base?.kind === 'stage' ? baseLayers(plan, base.stage) : [];
}

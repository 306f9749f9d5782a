import type { Digest } from '@boxwright/oci';
import { combineKeys, copyKey, layersKey, workdirKey } from '../cache/keys.ts';
import { Layer } from '../layers/layer.ts';
import { LayerUsers } from '../layers/layer-users.ts';
import type { PlannedStage } from '../plan/plan.ts';
import type { PlannedStep } from '../plan/stage-evaluation.ts';
import { CopyStep, mirrorOperation } from './copy-step.ts';
import type { FinishedStep } from './finished-step.ts';
import type { StageFreshness } from './fresh-steps.ts';
import { reportFailure, type StepProgress } from './progress.ts';
import { RunStep } from './run-step.ts';
import { type BuildSession, epochKey, epochNs, nowNs } from './session.ts';

/** What the cache keeps of a step. */
interface StepRecord {
  readonly size: number;
  /** RFC 3339: when the layer was made; its history row keeps that time. */
  readonly created: string;
}

/** File system after a step. */
interface StageState {
  readonly layers: readonly Layer[];
  readonly users: LayerUsers;
}

/** One step of a stage while the stage runs. */
interface ActiveStep {
  readonly planned: PlannedStep;
  readonly progress: StepProgress;
  readonly copy: CopyStep | undefined;
  readonly run: RunStep | undefined;
  /** Executed whatever the cache has. */
  readonly isFresh: boolean;
  /** Sources in other stages are looked at again. */
  readonly rereads: boolean;
}

/**
 * Runs one stage. Keys run ahead of the work: all sources are digested at once, and a step that the cache knows waits for
 * nothing below it.
 */
export class StageRun {
  readonly #session: BuildSession;
  readonly #stage: PlannedStage;
  readonly #steps: readonly ActiveStep[];
  #keys: readonly Promise<string>[] | undefined;
  #finished: readonly Promise<FinishedStep>[] | undefined;
  #state: Promise<StageState> | undefined;
  readonly #base: () => Promise<StageState>;

  constructor(
    session: BuildSession,
    stage: PlannedStage,
    progress: readonly StepProgress[],
    freshness: StageFreshness | undefined,
    base: () => Promise<StageState>,
  ) {
    this.#session = session;
    this.#stage = stage;
    this.#base = base;
    this.#steps = stage.steps.flatMap((planned, at) => {
      const shown = progress[at];
      if (shown === undefined) return [];
      const { operation } = planned;
      return [
        {
          planned,
          progress: shown,
          copy: operation.kind === 'copy' ? new CopyStep(session, operation) : undefined,
          run: operation.kind === 'run' ? new RunStep(session, operation) : undefined,
          isFresh: freshness?.executed[at] ?? false,
          rereads: freshness?.reread[at] ?? false,
        },
      ];
    });
  }

  /** Key of the stage's final file system; executes nothing unless a source's content has to be looked at. */
  async key(): Promise<string> {
    return this.#startKeys().at(-1) ?? (await this.#baseKey());
  }

  /** Layers of the stage, base first. */
  async state(): Promise<StageState> {
    this.#state ??= this.#run();
    return this.#state;
  }

  /** Every step's layer and time, in order. */
  async finished(): Promise<readonly FinishedStep[]> {
    await this.state();
    return Promise.all(this.#finished ?? []);
  }

  async #baseKey(): Promise<string> {
    const { base } = this.#stage;
    switch (base.kind) {
      case 'scratch':
        return layersKey([]);
      case 'stage':
        return this.#session.stageKey(base.stage);
      case 'image':
        return layersKey(base.layers.map(({ diffId }) => diffId));
      case 'named-directory': {
        const step = new CopyStep(this.#session, mirrorOperation({ kind: 'named-directory', path: base.path }, '/'));
        return combineKeys('directory', await step.digest(true));
      }
      default:
        return base satisfies never;
    }
  }

  #startKeys(): readonly Promise<string>[] {
    if (this.#keys !== undefined) return this.#keys;
    // All sources at once; each key then waits for the one before.
    const digests = this.#steps.map(({ copy, rereads }) => quiet(copy?.digest(!rereads)));
    let previous = quiet(this.#baseKey());
    this.#keys = this.#steps.map((step, at) => {
      const below = previous;
      previous = quiet(this.#reported(step, async () => this.#stepKey(step, await below, await digests[at])));
      return previous;
    });
    return this.#keys;
  }

  async #stepKey({ planned, run, rereads }: ActiveStep, below: string, digest: string | undefined): Promise<string> {
    const { operation } = planned;
    const epoch = epochKey(this.#session.request);
    if (operation.kind === 'copy') return copyKey(below, operation, digest ?? '', epoch);
    if (operation.kind === 'workdir') return workdirKey(below, operation, epoch);
    return run === undefined ? below : run.key(below, !rereads);
  }

  async #run(): Promise<StageState> {
    const keys = this.#startKeys();
    const finished: Promise<FinishedStep>[] = [];
    let state = quiet(this.#base());
    for (const [at, step] of this.#steps.entries()) {
      const below = state;
      const key = keys[at] ?? Promise.resolve('');
      const result = quiet(this.#reported(step, async () => this.#finish(step, await key, below)));
      finished.push(result);
      state = quiet(stateAfter(step, below, result));
    }
    this.#finished = finished;
    return state;
  }

  /** The layer from the cache, from the same step elsewhere in this build, or made now. */
  async #finish(step: ActiveStep, key: string, below: Promise<StageState>): Promise<FinishedStep> {
    const { store, signal } = this.#session;
    const record = step.isFresh ? undefined : store.cache.get(key);
    const [diffId] = record?.blobs ?? [];
    if (record !== undefined && diffId !== undefined) {
      await step.copy?.drop();
      await step.run?.drop();
      step.progress.cached();
      return fromRecord(this.#session, diffId, record.value as unknown as StepRecord); // Written below, nowhere else.
    }
    // Told before the steps below have been waited for: whether this machine can run anything at all.
    step.run?.prepare();
    const state = await below;
    signal.throwIfAborted();
    const finished = await this.#session.once(key, async () => {
      const layer = await this.#execute(step, state);
      const created = this.#created();
      // A failure is told by whoever needs the layer; a record that cannot be written is only a miss next time.
      const kept = layer.written().then(({ diffId: made, size, isChanged }) => {
        if (isChanged === true || step.run?.isChanged === true) return;
        store.cache.put(key, { size, created } satisfies StepRecord, { blobs: [made] });
      });
      const settled = kept.catch(() => {});
      this.#session.atEnd.push(() => settled);
      return { layer, created };
    });
    step.progress.completed();
    return finished;
  }

  async #execute({ planned, progress, copy, run }: ActiveStep, state: StageState): Promise<Layer> {
    const { operation } = planned;
    if (run !== undefined) return run.execute(state.layers, state.users, progress);
    progress.started();
    const base = await Promise.all(state.layers.map((layer) => layer.tar()));
    if (copy !== undefined) return new Layer(this.#session, Promise.resolve(await copy.write(base)));
    if (operation.kind !== 'workdir') throw new TypeError(`nothing executes ${operation.kind}`);
    const mtime = epochNs(this.#session.request) ?? nowNs();
    return new Layer(this.#session, Promise.resolve(this.#session.inline.writeWorkdir(operation, base, mtime)));
  }

  #created(): string {
    const { sourceDateEpoch } = this.#session.request;
    return (sourceDateEpoch === undefined ? new Date() : new Date(sourceDateEpoch * 1000)).toISOString();
  }

  /** Errors say where in the Dockerfile they come from, and the step that is the first to meet one shows it. */
  async #reported<T>({ planned, progress }: ActiveStep, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const located = this.#session.fail(error, planned);
      reportFailure(progress, located);
      throw located;
    }
  }
}

function fromRecord(session: BuildSession, diffId: Digest, { size, created }: StepRecord): FinishedStep {
  return { layer: new Layer(session, Promise.resolve({ diffId, size })), created };
}

async function stateAfter(
  step: ActiveStep,
  below: Promise<StageState>,
  result: Promise<FinishedStep>,
): Promise<StageState> {
  const [before, { layer }] = await Promise.all([below, result]);
  const layers = [...before.layers, layer];
  const upper = step.run === undefined ? undefined : layer.upper;
  return { layers, users: upper === undefined ? LayerUsers.of(layers) : before.users.afterRun(upper, layers) };
}

/** A promise that nobody may come to wait for: its failure is then no crash, and still there for who waits. */
function quiet<T>(promise: Promise<T>): Promise<T>;
function quiet<T>(promise: Promise<T> | undefined): Promise<T> | undefined;
function quiet<T>(promise: Promise<T> | undefined): Promise<T> | undefined {
  promise?.catch(() => {});
  return promise;
}

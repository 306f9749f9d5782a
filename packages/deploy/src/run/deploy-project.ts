import { basename } from 'node:path';
import { isBoxwrightError } from '@boxwright/errors';
import type { Registration } from '../prefect-api/registration.ts';
import type { Project } from '../project/index.ts';
import { redactedError } from '../steps/redacted-error.ts';
import { Redactor } from '../steps/redactor.ts';
import { runSteps } from '../steps/run-steps.ts';
import { StepCache } from '../steps/step-cache.ts';
import { createStepContext, type StepContext, type StepContextOptions } from '../steps/step-context.ts';
import { StepProgress } from '../steps/step-progress.ts';
import { findStep } from '../steps/step-registry.ts';
import { StepOutputs, type TemplateResolver } from '../template/index.ts';
import { createResolver, type VariableSource } from '../variables/index.ts';
import { isSecretName, type YamlNode } from '../yaml/index.ts';
import { type DeploymentTarget, stepsOf } from './deployment-target.ts';
import { FilesLock } from './files-lock.ts';
import { ImageSummaries, type ImageSummary } from './image-summary.ts';
import { planTargets } from './plan-targets.ts';
import { type DeploymentSelection, selectDeployments } from './select-deployments.ts';

/** Deployments that run beside each other at most; their builds share all processors anyway. */
const defaultConcurrency = 4;

/** Values of variables with names of secrets that are hidden in output have so many characters. */
const shortestSecret = 6;

/** What {@link deployProject} needs. */
export interface DeployOptions extends DeploymentSelection {
  readonly project: Project;
  /** Where variables and blocks are looked up. */
  readonly sources: readonly VariableSource[];
  /** Of the steps; directory, cache and redactor come from the deployment. */
  readonly context: Omit<StepContextOptions, 'directory' | 'cache' | 'redactor' | 'progress' | 'onReport'>;
  /** Secrets that are known; more are added. */
  readonly redactor?: Redactor | undefined;
  readonly concurrency?: number | undefined;
  /** Registers deployments when their steps have run, or says what would be registered. */
  readonly registrar?: Registrar | undefined;
}

/** Who registers deployments. */
export interface Registrar {
  /** What of a deployment it will fill in; nothing where nothing is registered. */
  fields(target: DeploymentTarget): readonly YamlNode[];
  /** Looks before any step runs whether all can be registered. */
  prepare(targets: readonly DeploymentTarget[]): Promise<void>;
  register(target: DeploymentTarget, finished: FinishedSteps): Promise<Registration | undefined>;
}

/** What a registration is made from. */
export interface FinishedSteps {
  readonly project: Project;
  readonly outputs: StepOutputs;
  readonly context: StepContext;
  readonly sources: readonly VariableSource[];
}

/** What became of one deployment. */
export interface DeploymentResult {
  readonly name: string;
  /** `interrupted`: the signal was aborted while it ran. `skipped`: it was not begun, as another one had failed or the signal was aborted. */
  readonly state: 'done' | 'failed' | 'interrupted' | 'skipped';
  readonly images: readonly ImageSummary[];
  readonly registration: Registration | undefined;
  readonly error: unknown;
  readonly seconds: number;
}

/**
 * Runs the build and push steps of deployments. Those whose steps may change files run alone, in the order of the file; the
 * others run beside each other, and what several of them ask for is done once. After a failure, or when the signal is
 * aborted, none is begun any more.
 *
 * Whatever can be known to be wrong or missing ends it before anything runs.
 *
 * @returns a result for each; failures of steps are in there
 * @throws BoxwrightError of {@link selectDeployments} and `planTargets`
 */
export async function deployProject(options: DeployOptions): Promise<readonly DeploymentResult[]> {
  const { project, context, sources } = options;
  const redactor = options.redactor ?? new Redactor();
  const env = context.env ?? process.env;
  for (const [name, value] of Object.entries(env)) {
    // What commands print of these must not be seen; shorter ones would hide half of the output.
    if (isSecretName(name) && value !== undefined && value.length >= shortestSecret) redactor.add(value);
  }
  const targets = selectDeployments(project, options);
  const resolver = createResolver({ outputs: new StepOutputs(), env, sources });
  await planTargets(targets, {
    env,
    redactor,
    directory: { path: project.directory },
    resolver,
    fields: (target) => options.registrar?.fields(target) ?? [],
  });
  await options.registrar?.prepare(targets);
  const run: Run = {
    options,
    redactor,
    progress: new StepProgress(redactor, context.onEvent),
    cache: new StepCache({ keepsReadings: true }),
    resolver,
    lock: new FilesLock(),
    hasFailed: false,
  };
  const waiting = targets.map((target, index) => ({ target, index }));
  const results: DeploymentResult[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next.index] = await deployOne(next.target, run);
    }
  };
  const count = Math.min(options.concurrency ?? defaultConcurrency, targets.length);
  await Promise.all(Array.from({ length: count }, worker));
  return results;
}

interface Run {
  readonly options: DeployOptions;
  readonly redactor: Redactor;
  readonly progress: StepProgress;
  readonly cache: StepCache;
  readonly resolver: TemplateResolver;
  readonly lock: FilesLock;
  hasFailed: boolean;
}

async function deployOne(target: DeploymentTarget, run: Run): Promise<DeploymentResult> {
  const alone = stepsOf(target).some((step) => findStep(step.name).changesFiles);
  return await run.lock.during(alone, async () => {
    const started = performance.now();
    const images = new ImageSummaries();
    const result = (state: DeploymentResult['state'], more: Partial<DeploymentResult> = {}): DeploymentResult => ({
      name: target.title,
      state,
      images: images.list(),
      registration: undefined,
      error: undefined,
      seconds: Math.round(performance.now() - started) / 1000,
      ...more,
    });
    const isAborted = (): boolean => run.options.context.signal?.aborted === true;
    if (run.hasFailed || isAborted()) return result('skipped');
    try {
      return result('done', { registration: await runTarget(target, run, images) });
    } catch (error) {
      // What fails while everything is given up is a consequence of that.
      if (isAborted()) return result('interrupted');
      run.hasFailed = true;
      return result('failed', { error: redactedError(error, run.redactor) });
    }
  });
}

async function runTarget(
  target: DeploymentTarget,
  run: Run,
  images: ImageSummaries,
): Promise<Registration | undefined> {
  const { project, registrar, sources } = run.options;
  const { resolver, cache, redactor, progress } = run;
  const context = createStepContext({
    ...run.options.context,
    directory: project.directory,
    isPrefectProject: /^prefect\.ya?ml$/.test(basename(project.file)),
    cache,
    redactor,
    progress,
    onReport: (report) => images.add(report),
  });
  const built = await runSteps({ steps: target.build.steps, context, resolver });
  const outputs = await runSteps({ steps: target.push.steps, context, resolver, outputs: built });
  return await registrar?.register(target, { project, outputs, context, sources });
}

/** The failures of a run, each once, however many deployments it has ended. */
export function failuresOf(results: readonly DeploymentResult[]): readonly unknown[] {
  const seen = new Set<unknown>();
  return results
    .filter(({ state }) => state === 'failed')
    .map(({ error }) => error)
    .filter((error) => {
      const origin = isBoxwrightError(error) ? (error.cause ?? error) : error;
      return seen.has(origin) ? false : seen.add(origin);
    });
}

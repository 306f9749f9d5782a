import { basename } from 'node:path';
import type { Step } from '../project/index.ts';
import type { FinishedSteps } from '../run/deploy-project.ts';
import type { DeploymentTarget } from '../run/deployment-target.ts';
import { resolveInputs } from '../steps/run-steps.ts';
import { pathInStep } from '../steps/step-context.ts';
import { findStep } from '../steps/step-registry.ts';
import { findPlaceholders, resolveNode } from '../template/index.ts';
import { createResolver, isForWorker, keepUnknown } from '../variables/index.ts';
import { type PlainObject, type PlainValue, plainEntries } from '../yaml/index.ts';

/**
 * The pull steps that a worker will run. Results of build and push steps are filled in; blocks and variables stay
 * placeholders, so that no secret is stored in the deployment. Environment variables that are set here are filled in, as
 * Prefect does, with a warning.
 *
 * @param hasImage the deployment's job variables name an image
 * @throws LocatedError TEMPLATE_INVALID, TEMPLATE_VALUE, this also for values that would be templates to the worker
 */
export async function pullSteps(
  target: DeploymentTarget,
  finished: FinishedSteps,
  hasImage: boolean,
): Promise<readonly PlainObject[]> {
  const { pull } = target;
  if (pull.steps.length > 0) return await Promise.all(pull.steps.map((step) => pullStep(step, finished)));
  // `pull: []` asks for none.
  if (pull.origin === 'deployment') return [];
  const directory = await defaultDirectory(target, finished, hasImage);
  return directory === undefined ? [] : [named('prefect.deployments.steps.set_working_directory', { directory })];
}

async function pullStep(step: Step, { outputs, context, sources }: FinishedSteps): Promise<PlainObject> {
  const { env } = context;
  for (const { reference, range } of findPlaceholders(step.inputs)) {
    if (reference.kind !== 'env' || env[reference.name] === undefined) continue;
    const { line } = range.start;
    context.progress.warning(
      `${range.source.file}:${line}: the value that ${reference.name} has here is stored in the pull step, for everybody to see who may see the deployment`,
    );
  }
  const resolver = createResolver({
    outputs,
    env,
    sources,
    keep: (reference) => reference.kind === 'block' || reference.kind === 'variable' || isForWorker(reference),
  });
  const inputs = plainEntries(await resolveNode(step.inputs, keepUnknown(resolver), { isReadAgain: true }));
  const [first, ...others] = step.requires.map(({ value }) => value);
  return named(step.name.value, {
    ...inputs,
    ...(step.id === undefined ? {} : { id: step.id.value }),
    ...(first === undefined ? {} : { requires: others.length === 0 ? first : [first, ...others] }),
  });
}

/** Prefect's choice: where a build step put the flows, else where they are on this machine. */
async function defaultDirectory(
  { build }: DeploymentTarget,
  { project, outputs, context, sources }: FinishedSteps,
  hasImage: boolean,
): Promise<string | undefined> {
  const resolver = createResolver({ outputs, env: context.env, sources });
  const inputs: PlainObject[] = [];
  for (const step of build.steps) {
    if (findStep(step.name).name !== 'build_docker_image') continue;
    inputs.push(plainEntries(await resolveInputs(step, resolver, context)));
  }
  const automatic = inputs.find(({ dockerfile }) => dockerfile === 'auto');
  if (automatic !== undefined) {
    // The automatic Dockerfile names the directory after that of its context.
    const { path, context: place = path } = automatic;
    return `/opt/prefect/${basename(pathInStep(context, typeof place === 'string' ? place : '.'))}`;
  }
  if (inputs.length > 0) return undefined;
  if (!hasImage) return project.directory;
  context.progress.warning('no pull step says where the flows are in the image: /opt/prefect is taken');
  return '/opt/prefect';
}

function named(name: string, inputs: PlainObject): PlainObject {
  const step: Record<string, PlainValue> = Object.create(null);
  step[name] = inputs;
  return step;
}

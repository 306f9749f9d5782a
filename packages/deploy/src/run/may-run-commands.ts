import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Project, Step } from '../project/index.ts';
import { findStep } from '../steps/step-registry.ts';
import { type PlainValue, plainEntries } from '../yaml/index.ts';
import { stepsOf } from './deployment-target.ts';
import { type DeploymentSelection, selectDeployments } from './select-deployments.ts';

/**
 * Whether a build of these deployments may have to run commands, which our own engine needs a sandbox for. Told by the
 * file and the Dockerfiles that it names; what only templates will tell counts as yes.
 *
 * @throws BoxwrightError as `selectDeployments`; LocatedError STEP_UNKNOWN
 */
export function mayRunCommands(project: Project, selection: DeploymentSelection): boolean {
  return selectDeployments(project, selection)
    .flatMap(stepsOf)
    .some((step) => findStep(step.name).name === 'build_docker_image' && buildMayRun(step, project));
}

function buildMayRun(step: Step, { directory }: Project): boolean {
  const { dockerfile = 'Dockerfile', path, context } = plainEntries(step.inputs);
  const place = path ?? context ?? '.';
  if (dockerfile === 'auto' || isTemplate(dockerfile) || isTemplate(place)) return true;
  if (typeof dockerfile !== 'string' || typeof place !== 'string') return false;
  try {
    return /^[ \t]*(?:ONBUILD[ \t]+)?RUN\b/im.test(readFileSync(resolve(directory, place, dockerfile), 'utf8'));
  } catch {
    // It may be elsewhere by then (set_working_directory, a clone), or the build says what is wrong.
    return true;
  }
}

function isTemplate(value: PlainValue | undefined): boolean {
  return typeof value === 'string' && value.includes('{{');
}

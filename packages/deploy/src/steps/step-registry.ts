import { closestMatch } from '@boxwright/errors';
import { LocatedError, type Positioned } from '../yaml/index.ts';
import { buildDockerImageStep } from './build-docker-image.ts';
import { gitCloneStep } from './git-clone.ts';
import { pipInstallRequirementsStep } from './pip-install-requirements.ts';
import { pushDockerImageStep } from './push-docker-image.ts';
import { runShellScriptStep } from './run-shell-script.ts';
import { setWorkingDirectoryStep } from './set-working-directory.ts';
import type { StepDefinition } from './step-definition.ts';

/** All steps that can be run. */
export const stepDefinitions: readonly StepDefinition[] = [
  buildDockerImageStep,
  pushDockerImageStep,
  runShellScriptStep,
  gitCloneStep,
  setWorkingDirectoryStep,
  pipInstallRequirementsStep,
];

/** Every name of every step: Prefect's with module, the bare one, and ours in camelCase. */
const byName: ReadonlyMap<string, StepDefinition> = new Map(
  stepDefinitions.flatMap((step): [string, StepDefinition][] => [
    [step.name, step],
    [camelCase(step.name), step],
    ...step.modules.map((module): [string, StepDefinition] => [`${module}.${step.name}`, step]),
  ]),
);

/** What Prefect has and we have not, with the reason. */
const notHere: ReadonlyMap<string, string> = new Map([
  ['pull_from_remote_storage', 'Clone with git_clone, or fetch with a command of run_shell_script.'],
  ['pull_with_block', 'Fetch with a command of run_shell_script.'],
  ['push_to_s3', "Use the storage's own command in run_shell_script."],
  ['push_to_gcs', "Use the storage's own command in run_shell_script."],
  ['push_to_azure_blob_storage', "Use the storage's own command in run_shell_script."],
]);

/**
 * The step of a name: `prefect_docker.deployments.steps.build_docker_image`, the same with a colon before the function,
 * or the function's name alone.
 *
 * @throws LocatedError STEP_UNKNOWN
 */
export function findStep(name: Positioned<string>): StepDefinition {
  const found = byName.get(name.value.replace(':', '.'));
  if (found !== undefined) return found;
  const last = lastPart(name.value);
  const nearest = closestMatch(name.value, byName.keys()) ?? sameFunction(last);
  const isFunction = /[.:]/.test(name.value);
  const what = isFunction ? `no step ${name.value}: Python functions are not run` : `no step ${name.value}`;
  const hint =
    notHere.get(last) ??
    (nearest === undefined
      ? `There are ${stepDefinitions.map((step) => step.name).join(', ')}; other programs can be run with run_shell_script.`
      : `Did you mean ${nearest}?`);
  throw new LocatedError('STEP_UNKNOWN', name.range, `there is ${what}`, { hint, details: { step: name.value } });
}

/** The last part of a step's name: what is shown while it runs. */
export function lastPart(name: string): string {
  return name.split(/[.:]/).pop() ?? name;
}

function sameFunction(last: string): string | undefined {
  const nearest = closestMatch(
    last,
    stepDefinitions.map((step) => step.name),
  );
  const step = stepDefinitions.find(({ name }) => name === nearest);
  return step === undefined ? undefined : `${step.modules[0]}.${step.name}`;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

import { BoxwrightError } from '@boxwright/errors';
import type { DeploymentTarget } from '../run/deployment-target.ts';
import { LocatedError } from '../yaml/index.ts';

/** What a deployment must have before anything of it can be registered. */
export interface DeploymentIdentity {
  readonly name: string;
  /** Of the flow: what its decorator says; without Python, what its function is called. */
  readonly flow: string;
  readonly entrypoint: string;
}

/** Variables that name the work pool of deployments that name none: the new one wins. */
const poolVariables: readonly string[] = [
  'PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME',
  'PREFECT_DEFAULT_WORK_POOL_NAME',
];

/** @throws LocatedError REGISTRATION_INCOMPLETE; BoxwrightError of that code for a file without deployments */
export function deploymentIdentity({ title, deployment }: DeploymentTarget): DeploymentIdentity {
  if (deployment === undefined) {
    throw new BoxwrightError('REGISTRATION_INCOMPLETE', `${title} has no deployment to register`, {
      hint: "Add 'deployments:' with a name, an entrypoint and a work_pool.",
    });
  }
  const missing = (what: string, hint: string): LocatedError =>
    new LocatedError('REGISTRATION_INCOMPLETE', deployment.range, `${title} has no ${what}`, { hint });
  const { name, entrypoint, flowName } = deployment;
  if (name === undefined) throw missing('name', "Add 'name: …'.");
  if (entrypoint === undefined) {
    throw missing('entrypoint: An entrypoint must be provided', "Add 'entrypoint: path/to/file.py:function'.");
  }
  const flow = flowName?.value ?? functionOf(entrypoint.value)?.replaceAll('_', '-');
  if (flow === undefined) throw missing('name of its flow', "Add 'flow_name: …'.");
  for (const [what, text] of [
    ['name', name.value],
    ['flow_name', flow],
  ] as const) {
    if (!/[/%&><]/.test(text)) continue;
    throw new LocatedError(
      'REGISTRATION_INCOMPLETE',
      deployment.range,
      `the ${what} ${text} has one of / % & > < in it`,
      {
        hint: 'Prefect does not take these in names.',
      },
    );
  }
  return { name: name.value, flow, entrypoint: entrypoint.value };
}

/** The work pool of a deployment that names none. */
export function defaultWorkPool(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return poolVariables.map((name) => env[name]).find((value) => value !== undefined && value !== '');
}

/** `flows/etl.py:my_flow`, `package.module.my_flow` */
function functionOf(entrypoint: string): string | undefined {
  return /(?:^|[:.])([\p{L}_][\p{L}\p{N}_]*)$/u.exec(entrypoint)?.[1];
}

import { Redactor } from '../steps/redactor.ts';
import { StepOutputs } from '../template/index.ts';
import { createResolver } from '../variables/index.ts';
import type { DeployOptions } from './deploy-project.ts';
import { type PlannedDeployment, planTargets } from './plan-targets.ts';
import { selectDeployments } from './select-deployments.ts';

/** What {@link planDeployments} needs. */
export interface PlanOptions
  extends Pick<DeployOptions, 'names' | 'all' | 'project' | 'sources' | 'redactor' | 'registrar'> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds out what would run, and runs nothing.
 *
 * @throws BoxwrightError as `deployProject` does before anything runs
 */
export async function planDeployments(options: PlanOptions): Promise<readonly PlannedDeployment[]> {
  const { project, sources, env, redactor = new Redactor() } = options;
  const targets = selectDeployments(project, options);
  return await planTargets(targets, {
    env,
    redactor,
    directory: { path: project.directory },
    resolver: createResolver({ outputs: new StepOutputs(), env, sources }),
    fields: (target) => options.registrar?.fields(target) ?? [],
  });
}

export {
  type DeploymentResult,
  type DeployOptions,
  deployProject,
  type FinishedSteps,
  failuresOf,
  type Registrar,
} from './deploy-project.ts';
export type { DeploymentTarget } from './deployment-target.ts';
export { type PlanOptions, planDeployments } from './dry-run.ts';
export type { ImageSummary } from './image-summary.ts';
export { parseJobVariables } from './job-variables.ts';
export { mayRunCommands } from './may-run-commands.ts';
export type { PlannedDeployment, PlannedStep } from './plan-targets.ts';
export { type DeploymentSelection, selectDeployments } from './select-deployments.ts';

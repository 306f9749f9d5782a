export { buildDockerImage } from './build-docker-image.ts';
export type { BuildDockerImageOptions, BuildDockerImageResult } from './build-docker-image-options.ts';
export { type EmbeddedStepEngineOptions, embeddedStepEngine } from './engines/embedded-step-engine.ts';
export { buildxStepEngine, dockerStepEngine, type OuterStepEngineOptions } from './engines/outer-step-engine.ts';
export {
  type BuiltImage,
  type EngineExtras,
  type PushedTag,
  type StepBuildRequest,
  type StepEngine,
  type StepPushRequest,
} from './engines/step-engine.ts';
export { type StepRegistries, type StepRegistriesOptions, stepRegistries } from './engines/step-registries.ts';
export { type GitCloneOptions, type GitCloneResult, gitClone } from './git-clone.ts';
export type { GitCredentials } from './git-credentials.ts';
export {
  type PipInstallRequirementsOptions,
  type PipInstallRequirementsResult,
  pipInstallRequirements,
} from './pip-install-requirements.ts';
export {
  type PushDockerImageOptions,
  type PushDockerImageResult,
  pushDockerImage,
} from './push-docker-image.ts';
export { Redactor } from './redactor.ts';
export { type RegistryCredentials, type RegistryLogin, registryOfUrl } from './registry-login.ts';
export { type RunShellScriptOptions, type RunShellScriptResult, runShellScript } from './run-shell-script.ts';
export { type RunStepsOptions, runSteps } from './run-steps.ts';
export {
  type SetWorkingDirectoryOptions,
  type SetWorkingDirectoryResult,
  setWorkingDirectory,
} from './set-working-directory.ts';
export { splitWords } from './split-words.ts';
export { type CachedResult, StepCache } from './step-cache.ts';
export {
  createStepContext,
  type StepContext,
  type StepContextOptions,
  type StepDirectory,
} from './step-context.ts';
export type { StepDefinition } from './step-definition.ts';
export { StepExecutionError } from './step-execution-error.ts';
export { StepInputs } from './step-inputs.ts';
export { type ProgressRow, StepProgress } from './step-progress.ts';
export { findStep, stepDefinitions } from './step-registry.ts';
export type { BuiltReport, PushedReport, StepReport } from './step-report.ts';
export type { StepResult } from './step-result.ts';

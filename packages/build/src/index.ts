export * from './automatic/index.ts';
export * from './builder/index.ts';
export { type ContextDigestRequest, contextDigest } from './context/context-digest.ts';
export { createEmbeddedEngine } from './engine/embedded.ts';
export type {
  BuildEngine,
  BuildOutput,
  BuildRequest,
  BuildResult,
  EmbeddedEngine,
  NamedContext,
  NetworkMode,
  PushOptions,
  SecretSource,
  StoredBuildResult,
} from './engine/engine.ts';
export { needsSandbox } from './engine/needs-sandbox.ts';
export { type PlannedImageRequest, plannedImage } from './engine/planned-image.ts';
export {
  type BuildxOptions,
  type ContainerLimits,
  checkEngineLogin,
  createBuildxEngine,
  createDockerEngine,
  createEngine,
  type DockerOptions,
  defaultWaits,
  EngineBuildError,
  type EngineName,
  type EnginePushOptions,
  engineNames,
  type OuterEngineOptions,
  pushFromEngine,
  type RetryPolicy,
  withRetries,
} from './engines/index.ts';
export type { BuildEvent } from './events.ts';
export { type ImageFiles, imageFiles } from './layers/image-files.ts';
export {
  detectSandbox,
  ensureUserNamespace,
  runInSandbox,
  type SandboxMount,
  type SandboxReport,
  type SandboxResult,
  type SandboxSpec,
  type SandboxUser,
  type StartedSandbox,
  useThisThreadForSandboxes,
} from './sandbox/index.ts';

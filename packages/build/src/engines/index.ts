export { EngineBuildError } from './build-failure.ts';
export type { BuildxOptions } from './buildx/buildx-options.ts';
export { createBuildxEngine, createDockerEngine, createEngine, type EngineName, engineNames } from './create-engine.ts';
export { checkEngineLogin } from './docker/check-login.ts';
export type { ContainerLimits, DockerOptions } from './docker/docker-options.ts';
export { type EnginePushOptions, pushFromEngine } from './docker/push-image.ts';
export type { OuterEngineOptions } from './engine-options.ts';
export { defaultWaits, type RetryPolicy, withRetries } from './retry.ts';

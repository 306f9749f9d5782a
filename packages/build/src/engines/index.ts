export type { BuildxOptions } from './buildx/buildx-options.ts';
export { createBuildxEngine } from './buildx/create-buildx-engine.ts';

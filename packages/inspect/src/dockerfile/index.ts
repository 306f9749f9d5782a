export { type CompareOptions, compareConfigs, type FieldComparison } from './compare-configs.ts';
export { type DockerfileTextOptions, dockerfileText, lossText } from './dockerfile-text.ts';
export type { BaseCandidate, BaseHints } from './find-base.ts';
export {
  type CopyStep,
  type DockerfileBase,
  type DockerfileStep,
  LOST_BASE,
  type Loss,
  type LossKind,
  type ReconstructedDockerfile,
} from './model.ts';
export { reconstructDockerfile } from './reconstruct.ts';

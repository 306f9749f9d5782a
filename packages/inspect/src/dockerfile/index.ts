export { type CompareOptions, compareConfigs, type FieldComparison } from './compare-configs.ts';
export {
  type DockerfileDocument,
  type DockerfileSubject,
  dockerfileDocument,
  dockerfileTitle,
  type ExtractionReport,
  lostRows,
  platformText,
  type VerificationReport,
} from './dockerfile-json.ts';
export { type DockerfileTextOptions, dockerfileText, lossText } from './dockerfile-text.ts';
export { type ExtractedContext, type ExtractRequest, extractContext } from './extract/extract-context.ts';
export type { ExtractFinding } from './extract/write-copied.ts';
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

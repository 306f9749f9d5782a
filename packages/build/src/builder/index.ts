export { DockerfileAssertionError } from './assertions.ts';
export { type BuildImageOptions, type BuildOptions, buildImage } from './build-image.ts';
export type { PlaceOptions } from './build-places.ts';
export { type DockerClientOptions, dockerClient } from './docker-client.ts';
export { DockerfileWriter } from './dockerfile-writer.ts';
export { formatOutlierVersionName } from './engine-version.ts';
export { BuildError, type EngineErrorOptions, PushError } from './errors.ts';
export { ImageBuilder, type ImageBuilderOptions } from './image-builder.ts';
export { parseImageTag, splitRepositoryPath } from './image-names.ts';
export type { CommandText, HealthcheckOptions, RunOptions } from './instructions/command-lines.ts';
export type { CopyFromOptions, CopyOptions } from './instructions/copy-lines.ts';
export { type DockerfileText, type ExpandedText, expand } from './instructions/dockerfile-text.ts';
export type { FromOptions } from './instructions/from-line.ts';
export type { RunMountOptions } from './instructions/run-mount-flag.ts';
export type { KeyValues } from './instructions/settings-lines.ts';
export {
  defaultPrefectVersion,
  defaultPythonVersion,
  getPrefectImageName,
} from './prefect-image.ts';
export type { ProgressSink } from './progress-text.ts';
export { type PushedImage, type PushImageOptions, pushImage } from './push-image.ts';
export { pythonRepr } from './python-repr.ts';
export { toRunCommand } from './run-command.ts';
export { slugifyTag, timestampTag } from './tags.ts';

export { type AutomaticDockerfile, type AutomaticOptions, automaticDockerfile } from './automatic-dockerfile.ts';
export { type ProjectKind, projectKinds } from './found-project.ts';
export { type GeneratedDockerfile, generateDefaultDockerfile, generateDockerfile } from './generated-file.ts';
export type { PrefectImageOptions } from './prefect-dockerfile.ts';
export { findPrefectVersions, type PrefectVersions } from './prefect-versions.ts';

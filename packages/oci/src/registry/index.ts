export { type RegistryAccess, type RegistryAccessOptions, type RegistryAccessParts, registryAccess } from './access.ts';
export {
  type FetchedManifest,
  fallbackTag,
  type ListOptions,
  listRepositories,
  type MountAnswer,
  openRepository,
  type ReferrerOptions,
  type Repository,
  type RequestOptions,
} from './client/index.ts';
export {
  type RegistryDestination,
  type RegistryDestinationOptions,
  registryDestination,
} from './registry-destination.ts';
export { type RegistrySource, registrySource } from './registry-source.ts';
export { type RepositoryName, repositoryKey } from './repository-name.ts';
export * from './upload/index.ts';

export {
  openRegistryAccess,
  type RegistryAccess,
  type RegistryAccessOptions,
  type RegistryAccessParts,
  registryAccess,
} from './access.ts';
export * from './auth/index.ts';
export * from './client/index.ts';
export * from './config/index.ts';
export {
  type RegistryDestination,
  type RegistryDestinationOptions,
  registryDestination,
} from './registry-destination.ts';
export { type RegistrySource, registrySource } from './registry-source.ts';
export { type RepositoryName, repositoryKey } from './repository-name.ts';
export * from './session/index.ts';
export * from './transport/index.ts';
export * from './upload/index.ts';

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
  type ConfigLocation,
  hostOfRegistry,
  type RegistriesConfig,
  type RegistrySettings,
  readRegistriesConfig,
  registriesConfigPath,
  settingsOf,
  tlsFromConfig,
  trustedNamers,
  withInsecure,
} from './config/index.ts';
export {
  type RegistryDestination,
  type RegistryDestinationOptions,
  registryDestination,
} from './registry-destination.ts';
export { type RegistrySource, registrySource } from './registry-source.ts';
export { type RepositoryName, repositoryKey } from './repository-name.ts';
export {
  openRegistries,
  type Registries,
  type RegistriesOptions,
  type RegistryEvent,
  type RegistryRequest,
  type RetryTiming,
} from './session/index.ts';
export {
  createTransport,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type Timeouts,
  type TransportOptions,
} from './transport/index.ts';
export {
  type BlobContent,
  type BlobReceipt,
  type BlobUploader,
  type BlobUploaderOptions,
  checkedContent,
  createBlobUploader,
} from './upload/index.ts';

export { tlsFromConfig } from './certificates.ts';
export {
  type ConfigLocation,
  parseRegistriesConfig,
  readRegistriesConfig,
  registriesConfigPath,
} from './read-config.ts';
export {
  defaultSettings,
  emptyConfig,
  type RegistriesConfig,
  type RegistrySettings,
  settingsOf,
  withInsecure,
} from './registries-config.ts';
export { hostOfRegistry, registryOfHost } from './registry-host.ts';

export { openRegistries, type RegistriesOptions } from './open-registries.ts';
export type { Registries, RegistryEvent, RegistryRequest } from './registries.ts';
export { defaultRetryTiming, type RetryTiming } from './retry-delay.ts';

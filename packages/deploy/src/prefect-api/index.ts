export { prefectRegistrar, type RegistrarOptions, registrationJson } from './registrar.ts';
export type { Registration } from './registration.ts';
export type { RegistrationOptions } from './registration-body.ts';
export { type ApiAnswer, type ApiRequest, type PrefectApi, prefectApi } from './request.ts';
